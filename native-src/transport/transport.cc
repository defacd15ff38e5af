#include "transport/transport.h"

#include "collective/choice/algorithm.h"
#include "core/data_type.h"
#include "core/seconds.h"

namespace lockstep {
namespace {

std::string rank_name(int rank) { return "rank " + std::to_string(rank); }

std::string peer_name(int peer) { return peer == Transport::ANY ? "any rank" : rank_name(peer); }

bool is_reduction(Operation operation) {
  return operation == Operation::REDUCE || operation == Operation::REDUCE_SCATTER ||
         operation == Operation::ALL_REDUCE || operation == Operation::REDUCE_STEP;
}

bool is_rooted(Operation operation) {
  return operation == Operation::BROADCAST || operation == Operation::SCATTER ||
         operation == Operation::GATHER || operation == Operation::REDUCE;
}

}  // namespace

std::string Signature::describe() const {
  std::string text = name_of(operation);
  if (!is_point_to_point()) text += " #" + std::to_string(sequence);
  if (operation != Operation::BARRIER) {
    text += count == 0 ? " of " : " of " + std::to_string(count) + " ";
    text += name_of(type);
  }
  if (is_reduction(operation)) text += " by " + name_of(op);
  if (is_rooted(operation)) text += " with root " + std::to_string(root);
  if (is_point_to_point()) text += " with tag " + std::to_string(tag);
  return text;
}

Error mismatch_error(int own_rank, const Signature& own, int peer, const Signature& theirs) {
  Signature otherwise_equal = theirs;
  otherwise_equal.algorithm = own.algorithm;
  if (own == otherwise_equal && own.algorithm != theirs.algorithm) {
    return Error(ErrorCode::MISMATCH,
                 "Rank " + std::to_string(own_rank) + " carries out " + own.describe() + " with " +
                     name_of(own.algorithm) + ", but " + rank_name(peer) + " with " +
                     name_of(theirs.algorithm) +
                     "; chosen algorithms and tuning must be equal on all ranks of a group.",
                 peer);
  }
  return Error(
      ErrorCode::MISMATCH,
      "Rank " + std::to_string(own_rank) + " called " + own.describe() + ", but " + rank_name(peer) +
          " called " + theirs.describe() +
          "; all ranks of a group must call the same operations with the same arguments in the same order.",
      peer);
}

Error length_error(int sender, std::size_t sent_bytes, int receiver, std::size_t expected_bytes,
                   const Signature& signature) {
  return Error(ErrorCode::MISMATCH,
               "Rank " + std::to_string(sender) + " sent " + std::to_string(sent_bytes) +
                   " bytes, but rank " + std::to_string(receiver) + " expected " +
                   std::to_string(expected_bytes) + " in " + signature.describe() +
                   "; all ranks must agree about every rank's length.",
               sender);
}

Error timeout_error(int own_rank, int awaited, const Signature& own, const Deadline& deadline) {
  return timeout_error(own_rank, std::span(&awaited, 1), own, deadline);
}

Error timeout_error(int own_rank, std::span<const int> chain, const Signature& own,
                    const Deadline& deadline) {
  std::string text = "Rank " + std::to_string(own_rank) + " waited " +
                     seconds_text(deadline.timeout_seconds()) + " for " + peer_name(chain.front());
  for (int rank : chain.subspan(1)) text += ", which waits for " + peer_name(rank);
  return Error(ErrorCode::TIMEOUT,
               text + (chain.size() > 1 ? ", in " : " in ") + own.describe() +
                   "; either that rank is slower than the timeout allows, or it never called the operation.",
               chain.back());
}

Error renumbered(const Error& error, std::span<const int> ranks) {
  if (error.numbering() == Error::Numbering::WHOLE) return Error(error.code(), error.what(), error.rank());
  if (error.rank() < 0 || error.rank() >= static_cast<int>(ranks.size())) return error;
  const int rank = ranks[static_cast<std::size_t>(error.rank())];
  bool is_same = true;
  for (std::size_t i = 0; i < ranks.size(); ++i) is_same = is_same && ranks[i] == static_cast<int>(i);
  if (is_same) return error;
  std::string list;
  for (int member : ranks) list += (list.empty() ? "" : ", ") + std::to_string(member);
  return Error(error.code(),
               "Rank " + std::to_string(rank) + " is at fault. Among ranks " + list +
                   ", counted from 0: " + error.what(),
               rank);
}

Error peer_died_error(int own_rank, int peer, const Signature& own) {
  return Error(ErrorCode::PEER_FAILED,
               "Rank " + std::to_string(peer) + " died: its connection to rank " + std::to_string(own_rank) +
                   " broke without a goodbye, during " + own.describe() + "; look at that rank's own output.",
               peer);
}

Error peer_left_error(int own_rank, int peer, const Signature& own) {
  return Error(ErrorCode::PEER_FAILED,
               (peer == Transport::ANY ? std::string("All other ranks have")
                                       : "Rank " + std::to_string(peer) + " has") +
                   " left the group, but rank " + std::to_string(own_rank) + " still needs it in " +
                   own.describe() +
                   "; every rank must take part in every operation before it closes its communicator.",
               peer);
}

Error cancelled_error(int own_rank, const Signature& own, const Deadline& deadline) {
  if (deadline.interrupted()) return interrupted_error(own_rank, own.describe());
  return Error(ErrorCode::CLOSED, "The communicator of rank " + std::to_string(own_rank) +
                                      " was closed during " + own.describe() + ".");
}

Error interrupted_error(int own_rank, const std::string& operation) {
  return Error(ErrorCode::INTERRUPTED,
               "A thread of rank " + std::to_string(own_rank) + " was interrupted while it waited in " +
                   operation + ".",
               own_rank);
}

ErrorCode code_for_peers(ErrorCode code) {
  return code == ErrorCode::INTERRUPTED ? ErrorCode::PEER_FAILED : code;
}

Error aborted_error(int origin, const Error& reason) {
  const std::string text = reason.what();
  const bool names_rank = reason.rank() != Error::NO_RANK;
  const int rank = names_rank ? reason.rank() : origin;
  const Error::Numbering numbering = names_rank ? reason.numbering() : Error::Numbering::GROUP;
  // Who passes on what it heard is not where the failure began.
  if (text.find(" ended the group: ") != std::string::npos)
    return Error(code_for_peers(reason.code()), text, rank, numbering);
  return Error(code_for_peers(reason.code()), "Rank " + std::to_string(origin) + " ended the group: " + text,
               rank, numbering);
}

}  // namespace lockstep
