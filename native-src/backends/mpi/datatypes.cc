#include "backends/mpi/datatypes.h"

#include <initializer_list>

#include "backends/mpi/mpi_call.h"
#include "core/reduce.h"

namespace lockstep::mpi {
namespace {

// File-wide, because MPI hands a reduction the datatype's handle and nothing else.
MPI_Datatype f16 = MPI_DATATYPE_NULL;
MPI_Datatype bf16 = MPI_DATATYPE_NULL;

DataType data_type_of(MPI_Datatype type) {
  if (type == MPI_FLOAT) return DataType::F32;
  if (type == MPI_DOUBLE) return DataType::F64;
  if (type == f16) return DataType::F16;
  if (type == bf16) return DataType::BF16;
  if (type == MPI_INT32_T) return DataType::I32;
  return type == MPI_INT64_T ? DataType::I64 : DataType::U8;
}

template <ReduceOp OP>
void reduce(void* source, void* target, int* count, MPI_Datatype* type) {
  reduce_into(target, source, static_cast<std::size_t>(*count), data_type_of(*type), OP);
}

void create_half(MPI_Datatype* type) {
  check(MPI_Type_contiguous(2, MPI_BYTE, type), "MPI_Type_contiguous");
  check(MPI_Type_commit(type), "MPI_Type_commit");
}

}  // namespace

void Datatypes::create() {
  create_half(&f16);
  create_half(&bf16);
  constexpr int COMMUTATIVE = 1;
  check(MPI_Op_create(reduce<ReduceOp::SUM>, COMMUTATIVE, &sum_), "MPI_Op_create");
  check(MPI_Op_create(reduce<ReduceOp::MIN>, COMMUTATIVE, &min_), "MPI_Op_create");
  check(MPI_Op_create(reduce<ReduceOp::MAX>, COMMUTATIVE, &max_), "MPI_Op_create");
  check(MPI_Op_create(reduce<ReduceOp::PRODUCT>, COMMUTATIVE, &product_), "MPI_Op_create");
}

void Datatypes::free() {
  MPI_Op_free(&sum_);
  MPI_Op_free(&min_);
  MPI_Op_free(&max_);
  MPI_Op_free(&product_);
  MPI_Type_free(&f16);
  MPI_Type_free(&bf16);
}

MPI_Datatype Datatypes::type(DataType type) const {
  switch (type) {
    case DataType::F32:
      return MPI_FLOAT;
    case DataType::F64:
      return MPI_DOUBLE;
    case DataType::F16:
      return f16;
    case DataType::BF16:
      return bf16;
    case DataType::I32:
      return MPI_INT32_T;
    case DataType::I64:
      return MPI_INT64_T;
    case DataType::U8:
      break;
  }
  return MPI_UINT8_T;
}

MPI_Op Datatypes::op(ReduceOp op) const {
  switch (op) {
    case ReduceOp::SUM:
    case ReduceOp::AVERAGE:
      return sum_;
    case ReduceOp::MIN:
      return min_;
    case ReduceOp::MAX:
      return max_;
    case ReduceOp::PRODUCT:
      break;
  }
  return product_;
}

}  // namespace lockstep::mpi
