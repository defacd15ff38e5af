// Compares the kernels with memcpy on the same amount of memory, each in turn, in one run.
// Usage: taskset -c 0 kernel_benchmark [rounds [part of a name]]
// Prints, for each kernel and size of one buffer, the rate in GB/s of bytes read and written and its ratio to
// the copy's (minimum, median, maximum over the rounds).

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "core/cpu.h"
#include "core/reduce.h"
#include "lockstep/compression.h"
#include "lockstep/gradient.h"

namespace lockstep {
namespace {

constexpr std::size_t KIB = 1024, MIB = 1024 * KIB;
constexpr std::size_t LARGEST = 96 * MIB;

struct Buffer {
  // Two further pages, so that neighbouring buffers do not compete for one set of the cache.
  std::vector<char> bytes = std::vector<char>(2 * LARGEST + 8192, 0);

  std::int64_t address() { return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(bytes.data())); }
};

struct Kernel {
  std::string name;
  /// Bytes of all buffers, and bytes read and written, for one element.
  std::size_t buffers, traffic;
  std::size_t element;
  std::function<void(std::int64_t count)> run;
};

double seconds_of(const std::function<void()>& work, std::size_t repetitions) {
  auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < repetitions; ++i) work();
  std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  return elapsed.count() / static_cast<double>(repetitions);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

void measure(const Kernel& kernel, std::size_t bytes, int rounds, Buffer& from, Buffer& to) {
  auto count = static_cast<std::int64_t>(bytes / kernel.element);
  std::size_t copied = static_cast<std::size_t>(count) * kernel.buffers / 2;
  std::size_t repetitions = std::max<std::size_t>(1, 32 * MIB / bytes / 4);
  auto copy = [&] { std::memcpy(to.bytes.data(), from.bytes.data(), copied); };
  auto work = [&] { kernel.run(count); };
  std::vector<double> rates, copies, ratios;
  copy();
  for (int round = 0; round < rounds; ++round) {
    work();
    rates.push_back(static_cast<double>(count) * static_cast<double>(kernel.traffic) /
                    seconds_of(work, repetitions));
    copy();
    copies.push_back(2.0 * static_cast<double>(copied) / seconds_of(copy, repetitions));
    ratios.push_back(rates.back() / copies.back());
  }
  auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  std::printf("%-22s %8zu KiB  %7.1f GB/s  copy %7.1f GB/s  ratio %5.2f (%.2f to %.2f)\n",
              kernel.name.c_str(), bytes / KIB, median(rates) / 1e9, median(copies) / 1e9, median(ratios),
              *least, *most);
}

std::vector<Kernel> kernels(std::vector<Buffer>& buffers) {
  std::int64_t p = buffers[0].address(), g = buffers[1].address(), m = buffers[2].address(),
               v = buffers[3].address();
  auto reduce = [&buffers](DataType type, ReduceOp op) {
    return [&buffers, type, op](std::int64_t count) {
      reduce_into(buffers[0].bytes.data(), buffers[1].bytes.data(), static_cast<std::size_t>(count), type,
                  op);
    };
  };
  auto code = [](DataType type) { return static_cast<std::int32_t>(type); };
  auto sgd = [=](DataType type, double momentum) {
    return [=](std::int64_t n) { sgd_step(p, g, m, n, code(type), 2, 1e-3, momentum, 0, 0, false); };
  };
  auto adam = [=](DataType type) {
    return [=](std::int64_t n) { adam_step(p, g, m, v, n, code(type), 7, 1e-3, 0.9, 0.999, 1e-8, 0, false); };
  };
  auto norm = [=](DataType type) {
    return [=](std::int64_t n) {
      volatile double keep = sum_of_squares(p, n, code(type));
      (void)keep;
    };
  };
  auto scaling = [=](DataType type) { return [=](std::int64_t n) { scale(p, n, code(type), 0.999); }; };
  auto conversion = [=](DataType from, DataType to) {
    return [=](std::int64_t n) { convert(g, code(from), p, code(to), n); };
  };
  auto encoding = [=](Codec codec) {
    return [=](std::int64_t n) { encode(static_cast<std::int32_t>(codec), g, n, m, v, 1, 0, 1); };
  };
  auto decoding = [=](Codec codec) {
    return [=](std::int64_t n) { decode(static_cast<std::int32_t>(codec), m, n, p, true); };
  };
  using enum DataType;
  return {{"reduce_into f32 sum", 8, 12, 4, reduce(F32, ReduceOp::SUM)},
          {"reduce_into f32 max", 8, 12, 4, reduce(F32, ReduceOp::MAX)},
          {"reduce_into f64 sum", 16, 24, 8, reduce(F64, ReduceOp::SUM)},
          {"reduce_into bf16 sum", 4, 6, 2, reduce(BF16, ReduceOp::SUM)},
          {"reduce_into f16 sum", 4, 6, 2, reduce(F16, ReduceOp::SUM)},
          {"sgd_step f32", 8, 12, 4, sgd(F32, 0)},
          {"sgd_step f32 momentum", 12, 20, 4, sgd(F32, 0.9)},
          {"sgd_step bf16 momentum", 8, 14, 2, sgd(BF16, 0.9)},
          {"adam_step f32", 16, 28, 4, adam(F32)},
          {"adam_step f64", 32, 56, 8, adam(F64)},
          {"adam_step bf16", 12, 22, 2, adam(BF16)},
          {"sum_of_squares f32", 4, 4, 4, norm(F32)},
          {"sum_of_squares f64", 8, 8, 8, norm(F64)},
          {"sum_of_squares bf16", 2, 2, 2, norm(BF16)},
          {"scale f32", 4, 8, 4, scaling(F32)},
          {"scale bf16", 2, 4, 2, scaling(BF16)},
          {"convert f32 to bf16", 6, 6, 4, conversion(F32, BF16)},
          {"convert f32 to f16", 6, 6, 4, conversion(F32, F16)},
          {"convert bf16 to f32", 6, 6, 4, conversion(BF16, F32)},
          {"convert f16 to f32", 6, 6, 4, conversion(F16, F32)},
          {"encode bf16", 10, 14, 4, encoding(Codec::BFLOAT16)},
          {"encode int8", 9, 13, 4, encoding(Codec::INT8)},
          {"encode int8 stochastic", 9, 13, 4, encoding(Codec::INT8_STOCHASTIC)},
          {"encode one bit", 8, 12, 4, encoding(Codec::ONE_BIT)},
          {"decode int8", 5, 9, 4, decoding(Codec::INT8)},
          {"decode one bit", 4, 8, 4, decoding(Codec::ONE_BIT)},
          {"accumulate", 12, 20, 4, [=](std::int64_t n) { accumulate(g, n, m, 0.9, v, 1); }},
          {"select 1 %", 4, 4, 4, [=](std::int64_t n) { select_largest(g, n, n / 100, m, v); }}};
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  using namespace lockstep;
  int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
  const std::string part = argc > 2 ? argv[2] : "";
  std::vector<Buffer> buffers(4);
  Buffer from, to;
  for (InstructionSet set : available_instruction_sets()) {
    select_instruction_set(set);
    std::printf("%s\n", name_of(set).c_str());
    for (const Kernel& kernel : kernels(buffers)) {
      if (kernel.name.find(part) == std::string::npos) continue;
      for (std::size_t bytes : {64 * KIB, MIB, 16 * MIB, LARGEST}) measure(kernel, bytes, rounds, from, to);
    }
  }
}
