// How a MeshTransport ends: with a notice to all peers after a failure, or with a goodbye.

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "core/log.h"
#include "transport/tcp/handshake/linger.h"
#include "transport/tcp/mesh/mesh_transport.h"
#include "transport/tcp/wire/control_frame.h"

namespace lockstep::tcp {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds ABORT_LIMIT{200};
constexpr std::chrono::microseconds FIRST_PAUSE{200};

}  // namespace

void MeshTransport::abort(const Error& reason) noexcept { fail(reason, false); }

void MeshTransport::fail(const Error& reason, bool memory_is_valid) noexcept {
  try {
    if (!failure_) failure_ = reason;
    // A rank that is closed by its own program leaves with a goodbye instead (see close()).
    if (closed_ || peers_know_ || reason.code() == ErrorCode::CLOSED) return;
    tell_peers(reason, memory_is_valid);
  } catch (const std::exception&) {
    // No memory for the notice: the peers then learn of it when the connections break.
  }
}

// @param memory_is_valid whether a frame that has begun may still be completed from its post's memory
void MeshTransport::tell_peers(const Error& reason, bool memory_is_valid) {
  peers_know_ = true;
  std::vector<std::byte> frame = notice_;
  if (frame.empty()) {
    frame = control_bytes(FrameKind::ABORT, rank_,
                          encode_abort({reason.code(), reason.rank(), reason.what(), reason.numbering()}));
  }
  // On every stream: some may have to be cut, and whoever waits reads another one first.
  for_each_stream([&](Stream& stream) {
    if (!stream.is_in_use()) return;
    stream.connection->drop_queued();
    if (stream.connection->is_mid_frame() && !memory_is_valid) {
      stream.connection->cut();
    } else {
      stream.connection->queue_control(frame);
    }
  });
  auto limit = Deadline::Clock::now() + ABORT_LIMIT;
  for (bool pending = true; pending && Deadline::Clock::now() < limit;) {
    pending = false;
    for_each_stream([&](Stream& stream) {
      if (stream.is_in_use() && !stream.connection->flush() && stream.connection->error() == 0)
        pending = true;
    });
    if (pending) std::this_thread::sleep_for(FIRST_PAUSE);
  }
  // From here on the memory of the posts may be gone.
  for_each_stream([](Stream& stream) {
    if (stream.is_open() && stream.connection->is_mid_frame()) stream.connection->cut();
  });
}

void MeshTransport::say_goodbye() {
  std::vector<std::byte> frame = control_bytes(FrameKind::GOODBYE, rank_, {});
  for_each_stream([&](Stream& stream) {
    if (stream.is_in_use()) stream.connection->queue_control(frame);
  });
}

// What a rank sends in its last operation may show that it disagrees, when it is too late for an error.
void MeshTransport::warn_of_unread() {
  std::string trouble;
  try {
    progress(milliseconds(0));
    auto unread = mailbox_.unread_collective();
    if (!unread) return;
    trouble = "rank " + std::to_string(unread->source) + " called " + unread->signature.describe() +
              ", in which this rank took no part.";
  } catch (const Error& error) {
    trouble = error.what();
  }
  log_notice(LogLevel::WARN, "When rank " + std::to_string(rank_) + " left its group: " + trouble);
}

void MeshTransport::close() noexcept {
  if (closed_) return;
  closed_ = true;
  try {
    if (!failure_) warn_of_unread();
    if (failure_) {
      for_each_stream([](Stream& stream) {
        if (!stream.is_open()) return;
        stream.connection->drop_queued();
        if (stream.connection->is_mid_frame()) stream.connection->cut();
      });
    }
    if (!failure_ || failure_->code() == ErrorCode::CLOSED) say_goodbye();
  } catch (const std::exception&) {
    // No memory for the goodbye: the peers see the connections break.
  }
  // The systems take in a goodbye even while the peer computes, unless their buffers are full.
  std::vector<Connection*> open;
  for_each_stream([&](Stream& stream) { open.push_back(stream.connection.get()); });
  linger(open,
         failure_ ? ABORT_LIMIT
                  : std::chrono::ceil<milliseconds>(std::chrono::duration<double>(options_.timeout_seconds)));
  for_each_stream([](Stream& stream) { stream.connection->cut(); });
  acceptor_.reset();
}

}  // namespace lockstep::tcp
