#include "gradient/arguments.h"
#include "gradient/convert_kernels.h"
#include "lockstep/gradient.h"

namespace lockstep {
namespace {

/// The kernel from one type to the other, or null.
ConvertKernels::Convert kernel_for(DataType from, DataType to) {
  const ConvertKernels& kernels = variant_in_use(variants_of_convert_kernels);
  if (from == DataType::F32 && to == DataType::F16) return kernels.f16_from_f32;
  if (from == DataType::F32 && to == DataType::BF16) return kernels.bf16_from_f32;
  if (from == DataType::F16 && to == DataType::F32) return kernels.f32_from_f16;
  if (from == DataType::BF16 && to == DataType::F32) return kernels.f32_from_bf16;
  return nullptr;
}

}  // namespace

void convert(std::int64_t input, std::int32_t input_type, std::int64_t output, std::int32_t output_type,
             std::int64_t count) {
  gradient::Arguments check("convert");
  std::size_t size = check.count(count);
  ConvertKernels::Convert kernel =
      kernel_for(static_cast<DataType>(input_type), static_cast<DataType>(output_type));
  if (kernel == nullptr) {
    check.refuse("input_type, output_type", std::to_string(input_type) + ", " + std::to_string(output_type),
                 "must be F32 (0) and F16 (2) or BF16 (3), either way");
  }
  const void* from = check.address("input", input, count);
  void* to = check.address("output", output, count);
  kernel(to, from, size);
}

}  // namespace lockstep
