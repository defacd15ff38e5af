#pragma once

#include <mpi.h>

#include "lockstep/types.h"

namespace lockstep::mpi {

/// The MPI datatypes and reductions that stand for DataType and ReduceOp. The two half-precision types are
/// two plain bytes to MPI. The reductions are those of core/reduce.h for every type: MPI's own let NaN vanish
/// from MIN and MAX, know no half precision, and leave open which of two NaNs a sum keeps, that is, whether
/// ranks get equal bits.
///
/// Made once for each process after MPI_Init; the caller holds the MPI mutex.
class Datatypes {
 public:
  void create();
  void free();

  MPI_Datatype type(DataType type) const;
  /// The operation that accumulates: AVERAGE is SUM here.
  MPI_Op op(ReduceOp op) const;

 private:
  MPI_Op sum_ = MPI_OP_NULL;
  MPI_Op min_ = MPI_OP_NULL;
  MPI_Op max_ = MPI_OP_NULL;
  MPI_Op product_ = MPI_OP_NULL;
};

}  // namespace lockstep::mpi
