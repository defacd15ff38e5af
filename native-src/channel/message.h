#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "lockstep/error.h"
#include "lockstep/types.h"
#include "transport/messages/mailbox.h"

namespace lockstep {

class CompletionQueue;

/// One send or receive, as its caller describes it.
struct Transfer {
  bool is_send = true;
  DataType type = DataType::U8;
  int peer = 0;  ///< of a receive, ANY_RANK for whoever sends
  int tag = 0;
  std::byte* data = nullptr;  ///< only read from when is_send
  std::size_t count = 0;      ///< elements
  bool exact = true;          ///< of a receive: whether a shorter message is a mismatch
};

/// A message that has come, or is coming in.
struct Incoming {
  int source = 0;
  DataType type = DataType::U8;
  std::size_t count = 0;  ///< elements
};

/// A send or receive that was posted on a channel. Guarded by the mutex of its Channels, but for `ended`.
struct Message {
  tcp::Post post;
  bool exact = true;
  bool arriving = false;  ///< a receive whose message has begun to come
  std::size_t received_count = 0;
  std::optional<Error> error;
  std::atomic<bool> ended{false};  ///< well or not; then nothing above changes
  CompletionQueue* completions = nullptr;
  std::int64_t completion_id = 0;
  std::unique_ptr<std::byte[]> own_copy;  ///< what is sent, once the caller has its memory back
  std::shared_ptr<Message> self;          ///< keeps it until it has ended
};

}  // namespace lockstep
