#include "collective/communicator/validation.h"

#include <cstring>
#include <string>

#include "core/data_type.h"
#include "lockstep/communicator.h"
#include "lockstep/error.h"

namespace lockstep {
namespace {

// The least that every MPI library takes (MPI 4.1, section 9.1.2, MPI_TAG_UB).
constexpr std::int32_t LARGEST_TAG = 32767;

bool is_reduction(Operation operation) {
  return operation == Operation::REDUCE || operation == Operation::REDUCE_SCATTER ||
         operation == Operation::ALL_REDUCE;
}

bool is_rooted(Operation operation) {
  return operation == Operation::BROADCAST || operation == Operation::SCATTER ||
         operation == Operation::GATHER || operation == Operation::REDUCE;
}

bool is_point_to_point(Operation operation) {
  return operation == Operation::SEND || operation == Operation::RECEIVE;
}

bool may_be_uneven(Operation operation) {
  return operation == Operation::SCATTER || operation == Operation::GATHER ||
         operation == Operation::ALL_GATHER || operation == Operation::REDUCE_SCATTER;
}

/// Checks one call.
class Validation {
 public:
  Validation(const RawRequest& raw, int rank, int size, ValidatedRequest& result)
      : raw_(raw), rank_(rank), size_(size), operation_(operation_from(raw.operation)), result_(result) {}

  void run() {
    if (operation_ == Operation::SPLIT) refuse("is not run as an operation; call split()");
    if (operation_ == Operation::REDUCE_STEP) refuse("is not run as an operation; call reduce_sgd_step()");
    Request& request = result_.request;
    request.operation = operation_;
    if (operation_ == Operation::BARRIER) return;
    request.type = data_type_from(raw_.type);
    if (is_reduction(operation_)) request.op = reduce_op_from(raw_.op);
    check_ranks();
    check_counts();
    check_buffers();
  }

 private:
  [[noreturn, gnu::cold, gnu::noinline]] void refuse(const std::string& why) const {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                name_of(operation_) + " on rank " + std::to_string(rank_) + " " + why + ".");
  }

  void check_ranks() {
    Request& request = result_.request;
    const int rank = raw_.root_or_peer;
    if (is_rooted(operation_)) {
      if (rank < 0 || rank >= size_) refuse("names root " + std::to_string(rank) + group_text());
      request.root_or_peer = rank;
    } else if (is_point_to_point(operation_)) {
      const bool any = operation_ == Operation::RECEIVE && rank == ANY_RANK;
      if (!any && (rank < 0 || rank >= size_)) refuse("names peer " + std::to_string(rank) + group_text());
      if (rank == rank_) refuse("names itself as the peer; copy the data instead");
      if (size_ == 1) refuse("has no peer in a group of one");
      request.root_or_peer = rank;
      if (raw_.tag < 0 || raw_.tag > LARGEST_TAG) {
        refuse("has tag " + std::to_string(raw_.tag) + "; tags go from 0 to " + std::to_string(LARGEST_TAG));
      }
      request.tag = raw_.tag;
    }
  }

  std::string group_text() const { return ", but the group has ranks 0 to " + std::to_string(size_ - 1); }

  void check_counts() {
    Request& request = result_.request;
    if (raw_.count < 0) refuse("has a negative count (" + std::to_string(raw_.count) + ")");
    request.count = static_cast<std::size_t>(raw_.count);
    own_bytes_ = bytes(raw_.count, 1);
    if (raw_.counts == 0) {
      all_bytes_ = bytes(raw_.count, size_);
      return;
    }
    if (!may_be_uneven(operation_)) refuse("takes no counts per rank");
    if (raw_.counts < 0) refuse("has a bad address for its counts");
    // Copied before they are checked, so that nobody can change them afterwards; they need no alignment.
    result_.counts.resize(static_cast<std::size_t>(size_));
    std::memcpy(result_.counts.data(), reinterpret_cast<const void*>(raw_.counts),
                result_.counts.size() * sizeof(std::int64_t));
    std::int64_t sum = 0;
    for (std::int64_t count : result_.counts) {
      if (count < 0) refuse("has a negative count (" + std::to_string(count) + ") among its counts per rank");
      if (__builtin_add_overflow(sum, count, &sum)) refuse("has counts per rank whose sum is too large");
    }
    if (result_.counts[rank_] != raw_.count) {
      refuse("has count " + std::to_string(raw_.count) + ", but its counts per rank say " +
             std::to_string(result_.counts[rank_]) + " for this rank");
    }
    all_bytes_ = bytes(sum, 1);
    request.counts = result_.counts;
  }

  std::size_t bytes(std::int64_t count, int times) const {
    std::int64_t total = 0;
    const auto size = static_cast<std::int64_t>(size_of(result_.request.type));
    if (__builtin_mul_overflow(count, size, &total) || __builtin_mul_overflow(total, times, &total)) {
      refuse("has " + std::to_string(count) + " elements, which is more than memory can hold");
    }
    return static_cast<std::size_t>(total);
  }

  void check_buffers() {
    const bool at_root = raw_.root_or_peer == rank_;
    switch (operation_) {
      case Operation::SEND:
        return buffers(own_bytes_, 0, false);
      case Operation::RECEIVE:
        return buffers(0, own_bytes_, false);
      case Operation::BROADCAST:
        return broadcast_buffers(at_root);
      case Operation::SCATTER:
        return buffers(at_root ? all_bytes_ : 0, own_bytes_, false);
      case Operation::GATHER:
        return buffers(own_bytes_, at_root ? all_bytes_ : 0, false);
      case Operation::ALL_GATHER:
        return buffers(own_bytes_, all_bytes_, false);
      case Operation::REDUCE:
        return buffers(own_bytes_, at_root ? own_bytes_ : 0, true);
      case Operation::REDUCE_SCATTER:
        return buffers(all_bytes_, own_bytes_, false);
      case Operation::ALL_REDUCE:
        return buffers(own_bytes_, own_bytes_, true);
      case Operation::ALL_TO_ALL:
        return buffers(all_bytes_, all_bytes_, false);
      case Operation::BARRIER:
      case Operation::SPLIT:
      case Operation::REDUCE_STEP:
        return;
    }
  }

  /// The root may leave its input out: then what it broadcasts lies in the output.
  void broadcast_buffers(bool at_root) {
    buffers(at_root && raw_.input != 0 ? own_bytes_ : 0, own_bytes_, true);
    if (at_root) {
      result_.input_bytes = own_bytes_;
      if (raw_.input == 0) result_.request.input = result_.request.output;
    }
  }

  void buffers(std::size_t input_bytes, std::size_t output_bytes, bool may_be_same) {
    result_.input_bytes = input_bytes;
    check_address(raw_.input, input_bytes, "input");
    check_address(raw_.output, output_bytes, "output");
    if (input_bytes > 0) result_.request.input = reinterpret_cast<const std::byte*>(raw_.input);
    if (output_bytes > 0) result_.request.output = reinterpret_cast<std::byte*>(raw_.output);
    if (input_bytes == 0 || output_bytes == 0 || (may_be_same && raw_.input == raw_.output)) return;
    const auto input = static_cast<std::uint64_t>(raw_.input);
    const auto output = static_cast<std::uint64_t>(raw_.output);
    if (input < output + output_bytes && output < input + input_bytes) {
      refuse(std::string("has an input and an output that overlap; ") +
             (may_be_same ? "give the same address for both, or apart ones" : "it cannot work in place"));
    }
  }

  [[noreturn, gnu::cold, gnu::noinline]] void refuse_address(std::int64_t address, std::size_t bytes,
                                                             const char* name) const {
    if (address != 0) refuse(std::string("has a bad address for its ") + name);
    refuse(std::string("has no ") + name + ", but needs " + std::to_string(bytes) + " bytes there");
  }

  void check_address(std::int64_t address, std::size_t bytes, const char* name) const {
    if (bytes == 0) return;
    std::int64_t end = 0;
    if (address <= 0 || __builtin_add_overflow(address, static_cast<std::int64_t>(bytes), &end)) {
      refuse_address(address, bytes, name);
    }
  }

  const RawRequest& raw_;
  const int rank_;
  const int size_;
  const Operation operation_;
  ValidatedRequest& result_;
  std::size_t own_bytes_ = 0;
  std::size_t all_bytes_ = 0;
};

}  // namespace

ValidatedRequest validate(const RawRequest& raw, int rank, int size) {
  ValidatedRequest result;
  Validation(raw, rank, size, result).run();
  return result;
}

}  // namespace lockstep
