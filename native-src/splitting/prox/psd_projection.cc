#include "splitting/prox/psd_projection.h"

#include "splitting/prox/psd_projection_kernels.h"

namespace lockstep::splitting {

void project_psd(double* batch, int width) {
  alignas(64) double eigenvalues[PSD_MAX_WIDTH * PSD_LANES];
  variant_in_use(variants_of_psd_kernels).project(batch, width, eigenvalues);
}

}  // namespace lockstep::splitting
