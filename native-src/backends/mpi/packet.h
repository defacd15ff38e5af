#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "transport/transport.h"

namespace lockstep::mpi {

/// What one rank was asked for.
struct View {
  std::int32_t rank = 0;
  std::uint64_t counts_hash = 0;
  Signature signature;

  bool agrees_with(const View& other) const {
    return signature == other.signature && counts_hash == other.counts_hash;
  }
};

/// Every collective begins with one all-reduce of a packet in which each rank says what it was asked for.
/// Ranks that agree go on to the operation itself; when they do not, every rank learns of two that differ,
/// and nothing has been handed to MPI that takes agreement for granted. A small all-reduce travels in the
/// packet, and a barrier is nothing but the packet, so that neither pays for the check.
struct Packet {
  /// 16 doubles or 32 floats: what metrics, norms and counters need.
  static constexpr std::size_t PAYLOAD_BYTES = 128;

  View first;
  std::int32_t disagree = 0;
  union {
    View second;  ///< where they disagree
    std::byte payload[PAYLOAD_BYTES];
  };

  Packet() : payload{} {}

  /// Whether the data of this operation fit into the packet.
  static bool carries(const Signature& signature);
};

std::uint64_t hash_of(std::span<const std::int64_t> counts);

/// MISMATCH as rank `own.rank` sees it, once `all` has come back with `disagree`.
Error disagreement(const View& own, const Packet& all);

/// The datatype and the reduction of packets. Made once for each process after MPI_Init.
class PacketType {
 public:
  void create();
  void free();

  MPI_Datatype type() const { return type_; }
  MPI_Op combine() const { return combine_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
  MPI_Op combine_ = MPI_OP_NULL;
};

}  // namespace lockstep::mpi
