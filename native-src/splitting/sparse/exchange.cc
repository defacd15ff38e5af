#include "splitting/sparse/exchange.h"

#include <atomic>
#include <optional>

#include "channel/channels.h"
#include "transport/transport.h"

namespace lockstep::splitting {
namespace {

// Messages of the halo pass beside all others of the group.
constexpr int TAG = 0;

}  // namespace

Exchange::Exchange(Communicator& group, const Mixing& mixing) : group_(group), mixing_(mixing) {
  for (const Halo& halo : mixing.halos) staging_.emplace_back(halo.sent.size());
}

Exchange::~Exchange() {
  try {
    wait();                 // nothing may write here any more
  } catch (const Error&) {  // the caller has been told, or is on its way out with another one
  }
}

// All receives first, so that what comes goes straight to its place.
void Exchange::post(double* values) {
  if (staging_.empty()) return;
  Channels& channels = group_.channels();
  for (const Halo& halo : mixing_.halos) {
    messages_.push_back(channels.post({.is_send = false,
                                       .type = DataType::F64,
                                       .peer = halo.peer,
                                       .tag = TAG,
                                       .data = reinterpret_cast<std::byte*>(values + halo.first_received),
                                       .count = static_cast<std::size_t>(halo.received)},
                                      false));
  }
  for (std::size_t i = 0; i < staging_.size(); ++i) {
    const Halo& halo = mixing_.halos[i];
    for (std::size_t k = 0; k < halo.sent.size(); ++k) staging_[i][k] = values[halo.sent[k]];
    messages_.push_back(channels.post({.is_send = true,
                                       .type = DataType::F64,
                                       .peer = halo.peer,
                                       .tag = TAG,
                                       .data = reinterpret_cast<std::byte*>(staging_[i].data()),
                                       .count = halo.sent.size()},
                                      false));
  }
}

void Exchange::wait() {
  std::vector<std::shared_ptr<Message>> messages;
  messages.swap(messages_);
  std::optional<Error> first;
  for (const auto& message : messages) {
    try {
      await(*message);
    } catch (const Error& error) {
      if (!first) first = error;
    }
  }
  if (first) throw Error(*first);
}

/// From its end on, well or not, nothing touches the message's memory here.
void Exchange::await(Message& message) {
  Channels& channels = group_.channels();
  const double limit = group_.timeout_seconds();
  if (channels.wait(message, Channels::Seconds(limit))) return;
  channels.abandon(message);
  static const std::atomic<bool> never{false};
  throw timeout_error(group_.rank(), message.post.peer, message.post.signature,
                      Deadline(Deadline::Seconds(limit), never));
}

}  // namespace lockstep::splitting
