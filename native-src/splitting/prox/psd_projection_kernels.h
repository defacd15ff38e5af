#pragma once

#include "core/cpu.h"

namespace lockstep {

/// One instruction set's project_psd(), see psd_projection.h.
struct PsdKernels {
  /// @param eigenvalues width × PSD_LANES, written; in no order
  void (*project)(double* batch, int width, double* eigenvalues);
};

LOCKSTEP_KERNEL_TABLE(PsdKernels, psd_kernels)

}  // namespace lockstep
