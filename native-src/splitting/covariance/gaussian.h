#pragma once

/// @file
/// Random numbers that follow from a seed.

#include <cstdint>

namespace lockstep::splitting {

/// The same numbers on all platforms, as std::normal_distribution's are not.
class Gaussian {
 public:
  explicit Gaussian(std::uint64_t seed) : state_(seed) {}

  double operator()() {  // Twelve uniform numbers: variance 1, and no tail that throws a sensor far away.
    double sum = -6;
    for (int k = 0; k < 12; ++k) sum += static_cast<double>(next() >> 11) * 0x1p-53;
    return sum;
  }

 private:
  std::uint64_t next() {  // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

}  // namespace lockstep::splitting
