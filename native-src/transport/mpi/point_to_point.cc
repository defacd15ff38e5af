#include <algorithm>
#include <mutex>
#include <string>

#include "core/data_type.h"
#include "transport/mpi/call.h"
#include "transport/mpi/mpi_call.h"

namespace lockstep::mpi {
namespace {

/// Header and data as one message, without copying either. The data are counted in blocks, because MPI counts
/// in int.
class MessageType {
 public:
  MessageType(Header* header, const void* data, std::size_t bytes, std::size_t block_bytes) {
    const int blocks = static_cast<int>(bytes / block_bytes);
    const std::size_t whole = static_cast<std::size_t>(blocks) * block_bytes;
    MPI_Datatype block = MPI_DATATYPE_NULL;
    check(MPI_Type_contiguous(static_cast<int>(block_bytes), MPI_BYTE, &block), "MPI_Type_contiguous");
    const int lengths[] = {static_cast<int>(sizeof(Header)), blocks, static_cast<int>(bytes - whole)};
    MPI_Aint addresses[3] = {};
    MPI_Get_address(header, &addresses[0]);
    MPI_Get_address(data, &addresses[1]);
    addresses[2] = MPI_Aint_add(addresses[1], static_cast<MPI_Aint>(whole));
    const MPI_Datatype types[] = {MPI_BYTE, block, MPI_BYTE};
    const int code = MPI_Type_create_struct(3, lengths, addresses, types, &type_);
    MPI_Type_free(&block);
    check(code, "MPI_Type_create_struct");
    check(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  /// Operations that have begun keep it (MPI 4.0, section 5.1.9).
  ~MessageType() { MPI_Type_free(&type_); }
  MessageType(const MessageType&) = delete;
  MessageType& operator=(const MessageType&) = delete;

  MPI_Datatype get() const { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

std::size_t data_bytes(const Call& call) { return call.request.count * size_of(call.request.type); }

std::size_t block_bytes(const Call& call) { return call.chunk_bytes; }

/// Waits for a message and takes it out of the queue. @return bytes of data in it
std::size_t await_message(const Call& call, int tag, MPI_Message* message, int* source) {
  MPI_Status status;
  call.session.wait_until(call.pending, call.deadline, [&] {
    const int from = call.request.root_or_peer < 0 ? MPI_ANY_SOURCE : call.request.root_or_peer;
    int arrived = 0;
    check(MPI_Improbe(from, tag, call.comm, &arrived, message, &status), "MPI_Improbe");
    return arrived != 0;
  });
  std::lock_guard lock(call.session.mutex());
  MPI_Count bytes = 0;
  check(MPI_Get_elements_x(&status, MPI_BYTE, &bytes), "MPI_Get_elements_x");
  *source = status.MPI_SOURCE;
  return static_cast<std::size_t>(bytes) - sizeof(Header);
}

}  // namespace

void send(const Call& call) {
  const int tag = call.request.tag;
  call.buffers.header.signature = call.signature();
  call.run("MPI_Isend", [&](MPI_Request* pending) {
    const MessageType type(&call.buffers.header, call.request.input, data_bytes(call), block_bytes(call));
    return MPI_Isend(MPI_BOTTOM, 1, type.get(), call.request.root_or_peer, tag, call.comm, pending);
  });
}

int receive(const Call& call) {
  MPI_Message message = MPI_MESSAGE_NULL;
  int source = 0;
  const std::size_t bytes = await_message(call, call.request.tag, &message, &source);
  if (bytes != data_bytes(call)) {
    throw Error(ErrorCode::MISMATCH,
                "Rank " + std::to_string(call.rank) + " wants to receive " +
                    std::to_string(call.request.count) + " " + name_of(call.request.type) + " (" +
                    std::to_string(data_bytes(call)) + " bytes) with tag " +
                    std::to_string(call.request.tag) + ", but rank " + std::to_string(source) + " sent " +
                    std::to_string(bytes) + " bytes; both must pass the same type and count.",
                source);
  }
  call.run("MPI_Imrecv", [&](MPI_Request* pending) {
    const MessageType type(&call.buffers.header, call.request.output, bytes, block_bytes(call));
    return MPI_Imrecv(MPI_BOTTOM, 1, type.get(), &message, pending);
  });
  const Signature& theirs = call.buffers.header.signature;
  if (theirs != call.signature()) throw mismatch_error(call.rank, call.signature(), source, theirs);
  return source;
}

}  // namespace lockstep::mpi
