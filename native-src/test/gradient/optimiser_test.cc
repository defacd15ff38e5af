#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "half_reference.h"
#include "instruction_sets.h"
#include "lockstep/gradient.h"
#include "lockstep/types.h"

namespace lockstep {
namespace {

using test::for_each_instruction_set;

constexpr std::size_t ELEMENTS = 8;
// Many copies of the eight, so that blocks, vectors and a tail of three are all reached.
constexpr std::size_t COUNT = 150 * ELEMENTS + 3;

struct Reference {
  const char* name;
  struct {
    double after[2][ELEMENTS];
  } f32, f64;
};

const Reference REFERENCES[] = {
#include "optimiser_reference.inc"
};

/// As in optimiser_reference.py.
double value(std::int64_t step, std::size_t element) {
  std::int64_t hash = (step + 1) * 2654435761 + static_cast<std::int64_t>(element + 1) * 40503;
  return static_cast<double>((hash >> 7) % 4096) / 1024 - 2;
}

template <typename T>
std::int64_t address(std::vector<T>& data) {
  return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(data.data()));
}

/// Parameters of any storage type P with their state of type S.
template <typename P, typename S>
struct Training {
  DataType type;
  std::vector<P> parameters, gradients;
  std::vector<S> first, second;

  explicit Training(DataType type, std::size_t count = COUNT)
      : type(type), parameters(count), gradients(count), first(count), second(count) {}

  void step(const std::string& name, std::int64_t step) {
    auto code = static_cast<std::int32_t>(type);
    auto count = static_cast<std::int64_t>(parameters.size());
    auto sgd = [&](double rate, double momentum, double dampening, double decay, bool nesterov) {
      sgd_step(address(parameters), address(gradients), momentum == 0 ? 0 : address(first), count, code, step,
               rate, momentum, dampening, decay, nesterov);
    };
    auto adam = [&](double rate, double beta1, double beta2, double epsilon, double decay, bool decoupled) {
      adam_step(address(parameters), address(gradients), address(first), address(second), count, code, step,
                rate, beta1, beta2, epsilon, decay, decoupled);
    };
    if (name == "sgd") return sgd(0.1, 0, 0, 0, false);
    if (name == "sgd with weight decay") return sgd(0.05, 0, 0, 0.1, false);
    if (name == "sgd with momentum") return sgd(0.02, 0.9, 0, 0, false);
    if (name == "sgd with dampening") return sgd(0.02, 0.8, 0.3, 0.02, false);
    if (name == "sgd with nesterov") return sgd(0.02, 0.9, 0, 0.05, true);
    if (name == "adam") return adam(0.001, 0.9, 0.999, 1e-8, 0, false);
    if (name == "adam with weight decay") return adam(0.01, 0.8, 0.95, 1e-6, 0.1, false);
    if (name == "adamw") return adam(0.001, 0.9, 0.999, 1e-8, 0.01, true);
    if (name == "adamw with more decay") return adam(0.02, 0.9, 0.999, 1e-8, 0.1, true);
    FAIL() << "no settings for " << name;
  }
};

template <typename T, typename Expected>
void expect_torch(DataType type, double tolerance, const std::string& name, const Expected& expected) {
  SCOPED_TRACE(name);
  Training<T, T> training(type);
  for (std::size_t i = 0; i < COUNT; ++i) training.parameters[i] = static_cast<T>(value(0, i % ELEMENTS));
  for (std::int64_t step = 1; step <= 50; ++step) {
    for (std::size_t i = 0; i < COUNT; ++i) training.gradients[i] = static_cast<T>(value(step, i % ELEMENTS));
    training.step(name, step);
    if (step != 5 && step != 50) continue;
    for (std::size_t i = 0; i < COUNT; ++i) {
      double wanted = expected.after[step == 50][i % ELEMENTS];
      ASSERT_NEAR(training.parameters[i], wanted, tolerance * std::max(1.0, std::fabs(wanted)))
          << "element " << i << " after step " << step;
    }
  }
}

TEST(Optimiser, F32ParametersFollowTorchForFiftySteps) {
  for_each_instruction_set([] {
    for (const Reference& reference : REFERENCES) {
      expect_torch<float>(DataType::F32, 1e-6, reference.name, reference.f32);
    }
  });
}

TEST(Optimiser, F64ParametersFollowTorchForFiftySteps) {
  for_each_instruction_set([] {
    for (const Reference& reference : REFERENCES) {
      expect_torch<double>(DataType::F64, 1e-13, reference.name, reference.f64);
    }
  });
}

/// A step on 16-bit parameters is a step on the widened ones whose result is rounded: bit for bit, state
/// included.
void expect_rounded_f32_steps(DataType type, const test::HalfFormat& format, const std::string& name) {
  SCOPED_TRACE(name);
  Training<std::uint16_t, float> half(type);
  Training<float, float> wide(DataType::F32);
  for (std::size_t i = 0; i < COUNT; ++i) {
    half.parameters[i] = format.narrow(static_cast<float>(value(0, i)));
    wide.parameters[i] = format.widen(half.parameters[i]);
  }
  for (std::int64_t step = 1; step <= 5; ++step) {
    for (std::size_t i = 0; i < COUNT; ++i) {
      half.gradients[i] = format.narrow(static_cast<float>(value(step, i)));
      wide.gradients[i] = format.widen(half.gradients[i]);
    }
    half.step(name, step);
    wide.step(name, step);
    for (std::size_t i = 0; i < COUNT; ++i) {
      ASSERT_EQ(half.parameters[i], format.narrow(wide.parameters[i]))
          << "element " << i << ", step " << step;
      wide.parameters[i] = format.widen(half.parameters[i]);
    }
    ASSERT_EQ(half.first, wide.first);
    ASSERT_EQ(half.second, wide.second);
  }
}

TEST(Optimiser, HalfParametersTakeTheF32StepAndRound) {
  for_each_instruction_set([] {
    for (const Reference& reference : REFERENCES) {
      expect_rounded_f32_steps(DataType::F16, test::F16, reference.name);
      expect_rounded_f32_steps(DataType::BF16, test::BF16, reference.name);
    }
  });
}

/// The parameters and states of a few steps, as bytes.
template <typename T>
std::vector<unsigned char> bytes_after_three_steps(DataType type, const std::string& name) {
  Training<T, T> training(type);
  for (std::size_t i = 0; i < COUNT; ++i) training.parameters[i] = static_cast<T>(value(0, i) / 3);
  for (std::int64_t step = 1; step <= 3; ++step) {
    for (std::size_t i = 0; i < COUNT; ++i) training.gradients[i] = static_cast<T>(value(step, i) / 7e3);
    training.step(name, step);
  }
  std::vector<unsigned char> bytes;
  for (auto* buffer : {&training.parameters, &training.first, &training.second}) {
    const auto* begin = reinterpret_cast<const unsigned char*>(buffer->data());
    bytes.insert(bytes.end(), begin, begin + COUNT * sizeof(T));
  }
  return bytes;
}

TEST(Optimiser, EveryInstructionSetGivesTheSameBits) {
  for (const Reference& reference : REFERENCES) {
    SCOPED_TRACE(reference.name);
    std::vector<std::vector<unsigned char>> f32, f64;
    for_each_instruction_set([&] {
      f32.push_back(bytes_after_three_steps<float>(DataType::F32, reference.name));
      f64.push_back(bytes_after_three_steps<double>(DataType::F64, reference.name));
    });
    for (std::size_t variant = 1; variant < f32.size(); ++variant) {
      EXPECT_EQ(f32[variant], f32[0]);
      EXPECT_EQ(f64[variant], f64[0]);
    }
  }
}

TEST(Optimiser, WithoutDecayAnInfiniteParameterLeavesItsStateFinite) {
  for_each_instruction_set([] {
    for (const char* name : {"sgd with momentum", "adam"}) {
      Training<float, float> training(DataType::F32);
      training.parameters.assign(COUNT, INFINITY);
      training.gradients.assign(COUNT, 0.5f);
      training.step(name, 1);
      for (std::size_t i = 0; i < COUNT; ++i) {
        ASSERT_TRUE(std::isfinite(training.first[i])) << name << ", element " << i;
        ASSERT_EQ(training.parameters[i], INFINITY) << name << ", element " << i;
      }
    }
  });
}

}  // namespace
}  // namespace lockstep
