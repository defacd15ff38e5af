#include "gradient/arguments.h"
#include "gradient/norm_kernels.h"
#include "lockstep/gradient.h"

namespace lockstep {

double sum_of_squares(std::int64_t data, std::int64_t count, std::int32_t type) {
  gradient::Arguments check("sum_of_squares");
  std::size_t size = check.count(count);
  std::size_t index = check.floating_type(type);
  const void* values = check.address("data", data, count);
  return variant_in_use(variants_of_norm_kernels).sum_of_squares[index](values, size);
}

void scale(std::int64_t data, std::int64_t count, std::int32_t type, double factor) {
  gradient::Arguments check("scale");
  std::size_t size = check.count(count);
  std::size_t index = check.floating_type(type);
  void* values = check.address("data", data, count);
  variant_in_use(variants_of_norm_kernels).scale[index](values, size, factor);
}

}  // namespace lockstep
