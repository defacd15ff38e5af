#include "backends/mpi/packet.h"

#include <algorithm>
#include <string>
#include <type_traits>

#include "backends/mpi/mpi_call.h"
#include "core/data_type.h"
#include "core/reduce.h"

namespace lockstep::mpi {
namespace {

static_assert(std::is_trivially_copyable_v<Packet>);

/// Symmetric in its arguments, so that every rank gets the same bits in whatever order MPI combines.
void combine(const Packet& source, Packet& target) {
  if (target.disagree) return;
  if (source.disagree) {
    target = source;
    return;
  }
  if (source.first.agrees_with(target.first)) {
    const Signature& signature = target.first.signature;
    if (Packet::carries(signature)) {
      reduce_into(target.payload, source.payload, signature.count, signature.type, signature.op);
    }
    target.first.rank = std::min(target.first.rank, source.first.rank);
    return;
  }
  const View ours = target.first;
  const bool ours_first = ours.rank < source.first.rank;
  target.disagree = 1;
  target.first = ours_first ? ours : source.first;
  target.second = ours_first ? source.first : ours;
}

void combine_packets(void* source, void* target, int* count, MPI_Datatype*) {
  for (int i = 0; i < *count; ++i)
    combine(static_cast<const Packet*>(source)[i], static_cast<Packet*>(target)[i]);
}

}  // namespace

bool Packet::carries(const Signature& signature) {
  return signature.operation == Operation::ALL_REDUCE &&
         signature.count <= PAYLOAD_BYTES / size_of(signature.type);
}

std::uint64_t hash_of(std::span<const std::int64_t> counts) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a (Fowler, Noll, Vo), by words
  for (std::int64_t count : counts) hash = (hash ^ static_cast<std::uint64_t>(count)) * 1099511628211U;
  return hash;
}

Error disagreement(const View& own, const Packet& all) {
  const View& theirs = own.agrees_with(all.first) ? all.second : all.first;
  if (own.signature != theirs.signature) {
    return mismatch_error(own.rank, own.signature, theirs.rank, theirs.signature);
  }
  return Error(ErrorCode::MISMATCH,
               "Ranks " + std::to_string(own.rank) + " and " + std::to_string(theirs.rank) +
                   " passed different lists of counts to " + own.signature.describe() +
                   "; the list must be the same on every rank.",
               theirs.rank);
}

void PacketType::create() {
  check(MPI_Type_contiguous(sizeof(Packet), MPI_BYTE, &type_), "MPI_Type_contiguous");
  check(MPI_Type_commit(&type_), "MPI_Type_commit");
  constexpr int COMMUTATIVE = 1;
  check(MPI_Op_create(combine_packets, COMMUTATIVE, &combine_), "MPI_Op_create");
}

void PacketType::free() {
  MPI_Op_free(&combine_);
  MPI_Type_free(&type_);
}

}  // namespace lockstep::mpi
