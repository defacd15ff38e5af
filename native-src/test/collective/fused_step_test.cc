// Reduction and optimiser in one pass against an all-reduce and the optimiser on every rank.

#include <gtest/gtest.h>

#include <random>

#include "call.h"
#include "collective/backend/transport_backend.h"
#include "gradient/adam.h"
#include "gradient/sgd.h"
#include "ranks.h"

namespace lockstep::test {
namespace {

constexpr DataType FLOATING[] = {DataType::F32, DataType::F64, DataType::F16, DataType::BF16};

void run_in_shared_memory(int ranks, const std::function<void(Communicator&)>& body) {
  run_as_ranks(ranks, [&](int rank) {
    auto messages = join_in_process_only("", rank, ranks);
    auto shared = share_memory_of(*messages, SMALL_PIECES);
    messages->close();
    Communicator group(std::make_unique<TransportBackend>(std::move(shared)), PATIENCE);
    body(group);
  });
}

Bytes random_elements(unsigned seed, std::size_t count, DataType type) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<double> values(count);
  for (double& value : values) value = static_cast<float>(uniform(random));
  return encode(values, type);
}

void put(std::byte* target, const Bytes& bytes) {
  if (!bytes.empty()) std::memcpy(target, bytes.data(), bytes.size());
}

std::int64_t address_of(const void* memory) { return reinterpret_cast<std::int64_t>(memory); }

/// Memory for one optimiser: parameters and two parts of state.
struct Memory {
  std::byte* parameters;
  std::byte* first;
  std::byte* second;
};

gradient::AdamStep adam_step(const Memory& memory, const void* gradients, std::size_t count, DataType type,
                             int step) {
  return {"test",
          {address_of(memory.parameters), address_of(gradients), address_of(memory.first),
           address_of(memory.second), static_cast<std::int64_t>(count), static_cast<std::int32_t>(type), step,
           0.01, 0.9, 0.99, 1e-8, 0.1, true}};
}

gradient::SgdStep sgd_step(const Memory& memory, const void* gradients, std::size_t count, DataType type,
                           int step) {
  return {"test",
          {address_of(memory.parameters), address_of(gradients), address_of(memory.first),
           static_cast<std::int64_t>(count), static_cast<std::int32_t>(type), step, 0.01, 0.9, 0, 0.1, true}};
}

template <typename Step>
void take(Communicator& group, const Step& step, bool reduces, const Memory& memory) {
  StepPlan plan;
  plan.reduces = reduces;
  plan.shared = {step.parameters(), std::span<const std::byte>(memory.first, 1), {}};
  plan.update = [&](std::size_t begin, std::size_t count, const std::byte* gradients) {
    step.apply(begin, count, gradients);
  };
  group.reduce_step(step.gradients(), step.count(), step.type(), plan);
}

template <typename MakeStep>
void compare(Communicator& group, std::size_t count, DataType type, bool reduces, MakeStep make_step) {
  const std::size_t bytes = count * size_of(type);
  const std::size_t state = count * gradient::state_bytes(type);
  const auto shared = group.allocate_shared(bytes + 2 * state + 128);
  const Memory memory{shared.get(), shared.get() + bytes, shared.get() + bytes + state};
  Bytes own_parameters = random_elements(99, count, type);
  Bytes own_first(state);
  Bytes own_second(state);
  const Memory own{own_parameters.data(), own_first.data(), own_second.data()};
  if (group.rank() == 0) put(memory.parameters, own_parameters);
  const auto gradients = group.allocate(bytes);
  for (int step = 1; step <= 3; ++step) {
    const auto seed = static_cast<unsigned>(100 * step + group.rank());
    put(gradients.get(), random_elements(seed, count, type));
    Bytes sum(bytes);
    run(group, {.operation = Operation::ALL_REDUCE,
                .type = type,
                .input = gradients.get(),
                .output = sum.data(),
                .count = count});
    make_step(own, sum.data(), count, type, step).apply(0, count, sum.data());
    if (!reduces) put(gradients.get(), sum);
    take(group, make_step(memory, gradients.get(), count, type, step), reduces, memory);
    ASSERT_EQ(Bytes(memory.parameters, memory.parameters + bytes), own_parameters) << name_of(type) << count;
    ASSERT_EQ(Bytes(memory.first, memory.first + state), own_first) << name_of(type) << count;
    run(group, {.operation = Operation::BARRIER});
  }
}

TEST(FusedStep, HasTheBitsOfAllReduceAndOptimiser) {
  for (int ranks : {2, 3, 5}) {
    run_in_shared_memory(ranks, [](Communicator& group) {
      for (DataType type : FLOATING) {
        for (std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{12'345}}) {
          for (bool reduces : {true, false}) {
            compare(group, count, type, reduces, adam_step);
            compare(group, count, type, reduces, sgd_step);
          }
        }
      }
    });
  }
}

TEST(FusedStep, OfOneRankNeedsNoSharedMemory) {
  run_with_communicators(1, {}, PATIENCE,
                         [](Communicator& group) { compare(group, 100, DataType::F32, true, adam_step); });
}

TEST(FusedStep, RefusesMemoryOfOneRankAlone) {
  run_in_shared_memory(2, [](Communicator& group) {
    std::vector<float> parameters(1000);
    std::vector<float> state(2000);
    const auto gradients = group.allocate(4000);
    const Memory memory{reinterpret_cast<std::byte*>(parameters.data()),
                        reinterpret_cast<std::byte*>(state.data()),
                        reinterpret_cast<std::byte*>(state.data() + 1000)};
    const Error error = error_of(
        [&] { take(group, adam_step(memory, gradients.get(), 1000, DataType::F32, 1), true, memory); });
    EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT) << error.what();
    EXPECT_NE(std::string(error.what()).find("allocate_shared()"), std::string::npos) << error.what();
  });
}

TEST(FusedStep, RefusesPrivateGradients) {
  run_in_shared_memory(2, [](Communicator& group) {
    const auto shared = group.allocate_shared(12'000);
    const Memory memory{shared.get(), shared.get() + 4000, shared.get() + 8000};
    std::vector<float> gradients(1000);
    const Error error = error_of(
        [&] { take(group, adam_step(memory, gradients.data(), 1000, DataType::F32, 1), true, memory); });
    EXPECT_EQ(error.code(), ErrorCode::INVALID_ARGUMENT) << error.what();
  });
}

TEST(FusedStep, IsUnavailableWithoutSharedMemory) {
  if (tests_shared_memory()) GTEST_SKIP() << "this group has shared memory";
  run_with_communicators(2, {}, PATIENCE, [](Communicator& group) {
    const Error error = error_of([&] { group.allocate_shared(100); });
    EXPECT_EQ(error.code(), ErrorCode::UNAVAILABLE) << error.what();
  });
}

}  // namespace
}  // namespace lockstep::test
