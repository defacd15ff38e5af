#include "lockstep/gradient.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "half_reference.h"
#include "instruction_sets.h"
#include "lockstep/error.h"
#include "lockstep/types.h"

namespace lockstep {
namespace {

using test::for_each_instruction_set;

constexpr std::int32_t F32 = 0, F64 = 1, F16 = 2, BF16 = 3, I32 = 4;

template <typename T>
std::int64_t address(const std::vector<T>& data) {
  return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(data.data()));
}

template <typename T>
std::vector<T> normal_values(std::size_t count) {
  std::mt19937_64 random(11);
  std::normal_distribution<double> normal;
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(normal(random));
  return values;
}

/// The documented order: element i into lane i mod 32, then the lanes pairwise.
template <typename T>
double reference_sum(const std::vector<T>& values) {
  double lanes[32] = {};
  for (std::size_t i = 0; i < values.size(); ++i) lanes[i % 32] += static_cast<double>(values[i]) * values[i];
  for (int half = 16; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

TEST(SumOfSquares, HasTheBitsOfItsDocumentedOrderOnEveryInstructionSet) {
  for_each_instruction_set([] {
    for (std::size_t count : {0, 1, 5, 31, 32, 33, 64, 511, 512, 513, 1000, 10007}) {
      SCOPED_TRACE(count);
      auto f32 = normal_values<float>(count);
      ASSERT_EQ(sum_of_squares(address(f32), static_cast<std::int64_t>(count), F32), reference_sum(f32));
      auto f64 = normal_values<double>(count);
      ASSERT_EQ(sum_of_squares(address(f64), static_cast<std::int64_t>(count), F64), reference_sum(f64));
      for (auto [type, format] : {std::pair{F16, test::F16}, {BF16, test::BF16}}) {
        std::vector<std::uint16_t> half(count);
        std::vector<float> wide(count);
        for (std::size_t i = 0; i < count; ++i) {
          half[i] = format.narrow(f32[i]);
          wide[i] = format.widen(half[i]);
        }
        ASSERT_EQ(sum_of_squares(address(half), static_cast<std::int64_t>(count), type), reference_sum(wide));
      }
    }
  });
}

TEST(SumOfSquares, DoesNotOverflowWhereF32Would) {
  for_each_instruction_set([] {
    std::vector<float> large(100, 1e30f);
    double square = static_cast<double>(1e30f) * 1e30f;
    EXPECT_NEAR(sum_of_squares(address(large), 100, F32) / (100 * square), 1, 1e-14);
  });
}

TEST(SumOfSquares, ShowsNanAndInfinity) {
  for_each_instruction_set([] {
    std::vector<float> values(100, 1.0f);
    values[77] = -INFINITY;
    EXPECT_EQ(sum_of_squares(address(values), 100, F32), INFINITY);
    values[99] = NAN;
    EXPECT_TRUE(std::isnan(sum_of_squares(address(values), 100, F32)));
  });
}

TEST(Scale, MultipliesAndRoundsOnce) {
  for_each_instruction_set([] {
    constexpr std::size_t COUNT = 1037;
    auto f32 = normal_values<float>(COUNT);
    auto f64 = normal_values<double>(COUNT);
    auto scaled_f32 = f32;
    auto scaled_f64 = f64;
    scale(address(scaled_f32), COUNT, F32, 0.3);
    scale(address(scaled_f64), COUNT, F64, 0.3);
    for (std::size_t i = 0; i < COUNT; ++i) {
      ASSERT_EQ(scaled_f32[i], f32[i] * 0.3f);
      ASSERT_EQ(scaled_f64[i], f64[i] * 0.3);
    }
    for (auto [type, format] : {std::pair{F16, test::F16}, {BF16, test::BF16}}) {
      std::vector<std::uint16_t> half(COUNT);
      for (std::size_t i = 0; i < COUNT; ++i) half[i] = format.narrow(f32[i]);
      auto scaled = half;
      scale(address(scaled), COUNT, type, 0.3);
      for (std::size_t i = 0; i < COUNT; ++i) {
        ASSERT_EQ(scaled[i], format.narrow(format.widen(half[i]) * 0.3f)) << "element " << i;
      }
    }
  });
}

TEST(Gradient, NoElementsNeedNoMemory) {
  EXPECT_EQ(sum_of_squares(0, 0, F32), 0.0);
  scale(0, 0, BF16, 2);
  sgd_step(0, 0, 0, 0, F16, 1, 0.1, 0.9, 0, 0, true);
  adam_step(0, 0, 0, 0, 0, F64, 1, 0.1, 0.9, 0.999, 1e-8, 0, true);
}

/// The call is refused with a message that names the function, the argument and its value.
void expect_refused(const std::function<void()>& call, const std::string& message) {
  try {
    call();
    ADD_FAILURE() << "nothing was refused; expected: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT);
    EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
  }
}

TEST(Gradient, NormAndScaleRefuseWhatCannotBeRight) {
  std::vector<float> data(4, 1.0f);
  std::int64_t a = address(data);
  expect_refused([&] { sum_of_squares(0, 4, F32); }, "sum_of_squares was called with data = 0");
  expect_refused([&] { sum_of_squares(a, -4, F32); }, "sum_of_squares was called with count = -4");
  expect_refused([&] { sum_of_squares(a, 4, I32); }, "sum_of_squares was called with type = 4");
  expect_refused([&] { sum_of_squares(a, 4, -1); }, "sum_of_squares was called with type = -1");
  expect_refused([&] { scale(0, 4, F32, 2); }, "scale was called with data = 0");
  expect_refused([&] { scale(a, -1, F32, 2); }, "scale was called with count = -1");
  expect_refused([&] { scale(a, 4, 99, 2); }, "scale was called with type = 99");
  EXPECT_EQ(data, std::vector<float>(4, 1.0f));
}

TEST(Gradient, SgdRefusesWhatTorchRefuses) {
  std::vector<float> buffer(4, 1.0f);
  std::int64_t a = address(buffer);
  auto sgd = [a](auto change) {
    struct {
      std::int64_t p, g, m, count = 4;
      std::int32_t type = F32;
      std::int64_t step = 1;
      double rate = 0.1, momentum = 0.9, dampening = 0, decay = 0;
      bool nesterov = false;
    } s{.p = a, .g = a, .m = a};
    change(s);
    return [s] {
      sgd_step(s.p, s.g, s.m, s.count, s.type, s.step, s.rate, s.momentum, s.dampening, s.decay, s.nesterov);
    };
  };
  const std::string call = "sgd_step was called with ";
  expect_refused(sgd([](auto& s) { s.p = 0; }), call + "parameters = 0");
  expect_refused(sgd([](auto& s) { s.g = 0; }), call + "gradients = 0");
  expect_refused(sgd([](auto& s) { s.m = 0; }), call + "momentum_state = 0");
  expect_refused(sgd([](auto& s) { s.count = -1; }), call + "count = -1");
  expect_refused(sgd([](auto& s) { s.type = 5; }), call + "type = 5");
  expect_refused(sgd([](auto& s) { s.step = 0; }), call + "step = 0");
  expect_refused(sgd([](auto& s) { s.rate = -0.5; }), call + "learning_rate = -0.5");
  expect_refused(sgd([](auto& s) { s.rate = NAN; }), call + "learning_rate = nan");
  expect_refused(sgd([](auto& s) { s.momentum = -1; }), call + "momentum = -1");
  expect_refused(sgd([](auto& s) { s.dampening = INFINITY; }), call + "dampening = inf");
  expect_refused(sgd([](auto& s) { s.decay = -2; }), call + "weight_decay = -2");
  expect_refused(sgd([](auto& s) { s.nesterov = true, s.momentum = 0; }), call + "nesterov = true");
  expect_refused(sgd([](auto& s) { s.nesterov = true, s.dampening = 0.1; }), call + "nesterov = true");
  EXPECT_EQ(buffer, std::vector<float>(4, 1.0f));
}

TEST(Gradient, AdamRefusesWhatTorchRefuses) {
  std::vector<float> buffer(4, 1.0f);
  std::int64_t a = address(buffer);
  auto adam = [a](auto change) {
    struct {
      std::int64_t p, g, m, v, count = 4;
      std::int32_t type = F32;
      std::int64_t step = 1;
      double rate = 0.1, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0;
    } s{.p = a, .g = a, .m = a, .v = a};
    change(s);
    return [s] {
      adam_step(s.p, s.g, s.m, s.v, s.count, s.type, s.step, s.rate, s.beta1, s.beta2, s.epsilon, s.decay,
                false);
    };
  };
  const std::string call = "adam_step was called with ";
  expect_refused(adam([](auto& s) { s.p = 0; }), call + "parameters = 0");
  expect_refused(adam([](auto& s) { s.g = 0; }), call + "gradients = 0");
  expect_refused(adam([](auto& s) { s.m = 0; }), call + "first_moment = 0");
  expect_refused(adam([](auto& s) { s.v = 0; }), call + "second_moment = 0");
  expect_refused(adam([](auto& s) { s.count = -1; }), call + "count = -1");
  expect_refused(adam([](auto& s) { s.type = 6; }), call + "type = 6");
  expect_refused(adam([](auto& s) { s.step = -3; }), call + "step = -3");
  expect_refused(adam([](auto& s) { s.rate = -1; }), call + "learning_rate = -1");
  expect_refused(adam([](auto& s) { s.beta1 = 1; }), call + "beta1 = 1");
  expect_refused(adam([](auto& s) { s.beta1 = -0.1; }), call + "beta1 = -0.1");
  expect_refused(adam([](auto& s) { s.beta2 = NAN; }), call + "beta2 = nan");
  expect_refused(adam([](auto& s) { s.epsilon = -1e-8; }), call + "epsilon = -1e-08");
  expect_refused(adam([](auto& s) { s.decay = -1; }), call + "weight_decay = -1");
  EXPECT_EQ(buffer, std::vector<float>(4, 1.0f));
}

}  // namespace
}  // namespace lockstep
