// What groups in shared memory have beyond the tests of all groups: registered buffers, order of reduction.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "call.h"
#include "collective/backend/transport_backend.h"
#include "core/memory.h"
#include "core/reduce.h"
#include "expected.h"
#include "ranks.h"

namespace lockstep::test {
namespace {

constexpr std::size_t LENGTHS[] = {0, 1, 3, 1000, 5001};

void run_in_shared_memory(int ranks, const std::function<void(Communicator&)>& body) {
  run_as_ranks(ranks, [&](int rank) {
    auto messages = join_in_process_only("", rank, ranks);
    auto shared = share_memory_of(*messages, SMALL_PIECES);
    messages->close();
    Communicator group(std::make_unique<TransportBackend>(std::move(shared)), PATIENCE);
    body(group);
  });
}

void copy(std::byte* target, const Bytes& source) {
  if (!source.empty()) std::memcpy(target, source.data(), source.size());
}

Bytes bytes_at(const std::byte* memory, std::size_t size) { return {memory, memory + size}; }

/// Which ranks have registered buffers.
enum class Registration { ALL, SOME };

class Registered : public testing::TestWithParam<std::tuple<int, Registration>> {};

INSTANTIATE_TEST_SUITE_P(Ranks, Registered,
                         testing::Combine(testing::Values(2, 3, 4, 5, 6, 7, 8, 9, 16),
                                          testing::Values(Registration::ALL, Registration::SOME)));

TEST_P(Registered, BuffersAreReducedInPlaceAndApart) {
  const auto [ranks, registration] = GetParam();
  run_in_shared_memory(ranks, [registration](Communicator& group) {
    constexpr std::size_t LARGEST = 5001 * 8;
    const bool is_registered = registration == Registration::ALL || group.rank() % 2 == 0;
    std::shared_ptr<std::byte> input_memory =
        is_registered ? group.allocate(LARGEST) : allocate_private(LARGEST);
    std::shared_ptr<std::byte> output_memory =
        is_registered ? group.allocate(LARGEST) : allocate_private(LARGEST);
    for (DataType type : TYPES) {
      for (ReduceOp op : OPS) {
        for (std::size_t count : LENGTHS) {
          SCOPED_TRACE(name_of(type) + " " + name_of(op) + " " + std::to_string(count));
          const Bytes input = encode(values(group.rank(), 0, count, op), type);
          const Bytes expected = reduced(group.size(), 0, count, type, op);
          copy(input_memory.get(), input);
          Call call{.operation = Operation::ALL_REDUCE,
                    .type = type,
                    .op = op,
                    .input = input_memory.get(),
                    .output = output_memory.get(),
                    .count = count};
          run(group, call);
          ASSERT_EQ(bytes_at(output_memory.get(), expected.size()), expected);
          ASSERT_EQ(bytes_at(input_memory.get(), input.size()), input);
          call.output = input_memory.get();
          run(group, call);
          ASSERT_EQ(bytes_at(input_memory.get(), expected.size()), expected) << "in place";
          run(group, {.operation = Operation::BARRIER});
        }
      }
    }
    // Freed memory is no longer taken for registered, and what is left of it is still right.
    input_memory.reset();
  });
}

TEST_P(Registered, OtherCollectivesTakeThemToo) {
  const auto [ranks, registration] = GetParam();
  run_in_shared_memory(ranks, [registration](Communicator& group) {
    const std::size_t count = 3001;
    const std::size_t all = count * static_cast<std::size_t>(group.size());
    const bool is_registered = registration == Registration::ALL || group.rank() % 2 == 0;
    const DataType type = DataType::I32;
    const std::size_t bytes = all * size_of(type);
    std::shared_ptr<std::byte> memory = is_registered ? group.allocate(bytes) : allocate_private(bytes);
    for (int root = 0; root < group.size(); ++root) {
      if (group.rank() == root) copy(memory.get(), plain(root, 0, count, type));
      run(group, {.operation = Operation::BROADCAST,
                  .type = type,
                  .root_or_peer = root,
                  .input = group.rank() == root ? memory.get() : nullptr,
                  .output = memory.get(),
                  .count = count});
      EXPECT_EQ(bytes_at(memory.get(), count * size_of(type)), plain(root, 0, count, type));
      copy(memory.get(), encode(values(group.rank(), 0, count, ReduceOp::SUM), type));
      run(group, {.operation = Operation::REDUCE,
                  .type = type,
                  .root_or_peer = root,
                  .input = memory.get(),
                  .output = group.rank() == root ? memory.get() : nullptr,
                  .count = count});
      if (group.rank() == root) {
        EXPECT_EQ(bytes_at(memory.get(), count * size_of(type)),
                  reduced(group.size(), 0, count, type, ReduceOp::SUM));
      }
    }
    copy(memory.get(), encode(values(group.rank(), 0, all, ReduceOp::SUM), type));
    Bytes block(count * size_of(type));
    run(group, {.operation = Operation::REDUCE_SCATTER,
                .type = type,
                .input = memory.get(),
                .output = block.data(),
                .count = count});
    EXPECT_EQ(block, reduced(group.size(), static_cast<std::size_t>(group.rank()) * count, count, type,
                             ReduceOp::SUM));
    copy(memory.get(), plain(group.rank(), 0, count, type));
    Bytes gathered(bytes);
    run(group, {.operation = Operation::ALL_GATHER,
                .type = type,
                .input = memory.get(),
                .output = gathered.data(),
                .count = count});
    EXPECT_EQ(gathered, all_blocks(std::vector<std::int64_t>(static_cast<std::size_t>(group.size()),
                                                             static_cast<std::int64_t>(count)),
                                   type));
  });
}

// Also while others still read what it has broadcast.
TEST(RegisteredMemory, BelongsToItsRankAgainAfterTheOperation) {
  run_in_shared_memory(3, [](Communicator& group) {
    constexpr std::size_t COUNT = 1 << 20;
    const auto memory = group.allocate(COUNT);
    Bytes received(COUNT);
    for (int round = 1; round <= 50; ++round) {
      const std::byte value{static_cast<unsigned char>(round)};
      const bool at_root = group.rank() == 0;
      if (at_root) std::fill_n(memory.get(), COUNT, value);
      run(group, {.operation = Operation::BROADCAST,
                  .type = DataType::U8,
                  .input = at_root ? memory.get() : nullptr,
                  .output = at_root ? memory.get() : received.data(),
                  .count = COUNT});
      if (at_root) {
        std::fill_n(memory.get(), COUNT, std::byte{0});
      } else {
        ASSERT_EQ(std::count(received.begin(), received.end(), value), COUNT) << round;
      }
    }
  });
}

/// Numbers whose sum depends on the order.
std::vector<float> random_floats(int rank, std::size_t count) {
  std::mt19937 random(static_cast<unsigned>(rank) * 7919U + 17U);
  std::uniform_real_distribution<float> exponent(-8, 8);
  std::vector<float> numbers(count);
  for (float& number : numbers) number = std::ldexp(exponent(random), static_cast<int>(exponent(random)));
  return numbers;
}

TEST(ReductionOrder, IsThatOfTheRanksAndHalvesAreRoundedOnce) {
  for (int ranks : {2, 3, 5}) {
    for (std::size_t count : {7, 1000, 20'000}) {
      run_in_shared_memory(ranks, [&](Communicator& group) {
        std::vector<float> sums = random_floats(0, count);
        for (int rank = 1; rank < ranks; ++rank) {
          const std::vector<float> next = random_floats(rank, count);
          for (std::size_t i = 0; i < count; ++i) sums[i] += next[i];
        }
        std::vector<float> data = random_floats(group.rank(), count);
        run(group, {.operation = Operation::ALL_REDUCE,
                    .type = DataType::F32,
                    .input = data.data(),
                    .output = data.data(),
                    .count = count});
        EXPECT_EQ(data, sums);

        // Inputs that bf16 holds exactly, sums that it does not.
        std::vector<double> wide(count);
        for (std::size_t i = 0; i < count; ++i)
          wide[i] = 1.0 + static_cast<double>((i + group.rank()) % 128) / 128;
        Bytes half = encode(wide, DataType::BF16);
        run(group, {.operation = Operation::ALL_REDUCE,
                    .type = DataType::BF16,
                    .input = half.data(),
                    .output = half.data(),
                    .count = count});
        std::vector<double> total(count);
        for (int rank = 0; rank < ranks; ++rank) {
          for (std::size_t i = 0; i < count; ++i) {
            total[i] += 1.0 + static_cast<double>((i + static_cast<std::size_t>(rank)) % 128) / 128;
          }
        }
        EXPECT_EQ(half, encode(total, DataType::BF16));
      });
    }
  }
}

}  // namespace
}  // namespace lockstep::test
