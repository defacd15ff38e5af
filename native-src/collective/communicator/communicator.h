#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "channel/completion_queue.h"
#include "channel/message.h"
#include "collective/backend/backend.h"
#include "collective/communicator/exclusive_turn.h"
#include "collective/communicator/validation.h"
#include "collective/communicator/work.h"
#include "collective/observation/operation_log.h"
#include "collective/observation/statistics.h"

namespace lockstep {

class Channels;

/// The front of every backend: checks requests, runs them one at a time in submission order, keeps deadlines
/// and statistics, and closes the group after the first error.
///
/// Safe to use from any thread. Held by shared_ptr, so that a close() cannot free what another thread is
/// using.
class Communicator {
 public:
  /// @param timeout_seconds deadline of each operation
  /// @param wire what channels go by, where the backend carries none itself
  Communicator(std::unique_ptr<Backend> backend, double timeout_seconds, std::unique_ptr<Wire> wire);
  Communicator(std::unique_ptr<Backend> backend, double timeout_seconds);
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  std::string backend_name() const { return backend_->name(); }
  void set_timeout(double seconds);
  double timeout_seconds() const { return timeout_seconds_.load(std::memory_order_relaxed); }

  /// A SEND or RECEIVE passes by the collectives, as one message of a channel: it ends with TIMEOUT when its
  /// deadline has passed, which leaves the group whole. Everything else runs
  /// on the caller's thread when nothing is queued or running, otherwise behind what is queued.
  int run(const RawRequest& raw);

  /// Queues a collective on the progress thread, which the first call starts.
  std::shared_ptr<Work> start(const RawRequest& raw);

  /// The messages beside the collectives. They outlive a failure of these.
  /// @throws Error INVALID_ARGUMENT in a group of one
  Channels& channels();
  /// A SEND or RECEIVE as channels() takes it. @throws Error INVALID_ARGUMENT
  Transfer transfer_of(const RawRequest& raw) const;
  /// Messages and works that somebody wants to hear of.
  CompletionQueue& completions() { return completions_; }
  const Channels* channels_or_null() const { return channels_.get(); }

  /// @return null where color is negative
  std::shared_ptr<Communicator> split(int color, int key);

  /// Collective over the survivors, ranks of this group in ascending order, each of which passes the same: a
  /// group of them of the next generation, on connections of its own. It goes over channels, which outlive a
  /// failure of the collectives; this group may have failed, and is to be closed afterwards. Where another
  /// one dies meanwhile, call it again with fewer.
  /// @throws Error INVALID_ARGUMENT, PEER_FAILED, TIMEOUT, CLOSED
  std::shared_ptr<Communicator> shrink(std::span<const int> survivors);
  /// How often the group has been shrunk.
  std::uint32_t generation() const { return generation_; }

  /// Zeroed memory for buffers that are reduced often: registered where the group shares memory. It may
  /// outlive the group. @throws Error SYSTEM, CLOSED
  std::shared_ptr<std::byte> allocate(std::size_t bytes);

  /// Collective: zeroed memory that all ranks use, for what each of them holds a slice of. Its ranks are on
  /// one host. It may outlive the group, and is never given back before all ranks have let go of it.
  /// @throws Error UNAVAILABLE where the ranks do not all share memory, SYSTEM, CLOSED
  std::shared_ptr<std::byte> allocate_shared(std::size_t bytes);

  /// Collective: reduces `count` gradients of `type` and applies plan.update to this rank's slice.
  /// @throws Error UNAVAILABLE where the ranks do not all share memory, INVALID_ARGUMENT, and as run()
  void reduce_step(const std::byte* gradients, std::size_t count, DataType type, const StepPlan& plan);

  /// As Backend::use_algorithm(), after what was submitted before.
  void use_algorithm(Operation operation, std::optional<Algorithm> algorithm);

  /// Collective: all ranks use the tuning of rank 0 from now on, the built-in one where its text is empty.
  /// What other ranks pass is not looked at. Not while works are pending or other threads call.
  /// @param source what errors call the text: its path
  /// @throws Error INVALID_ARGUMENT on all ranks where the text is wrong
  void use_tuning(const std::string& text, const std::string& source);

  /// How the collective that ended last was carried out.
  Algorithm last_algorithm() const { return last_algorithm_.load(std::memory_order_relaxed); }

  /// Leaves the group: the running operation and all queued ones end with CLOSED. Idempotent; returns when no
  /// operation touches memory any more.
  void close() noexcept;

  double seconds() const { return static_cast<double>(statistics_.nanoseconds()) * 1e-9; }
  std::int64_t bytes() const { return statistics_.bytes(); }

  const OperationStatistics& statistics() const { return statistics_; }
  /// Null where the backend cannot tell.
  const Traffic* traffic() const { return traffic_; }
  const OperationLog& log() const { return log_; }
  OperationLog& log() { return log_; }

  /// How long a wait takes until the log is told; see core/deadline.h.
  void set_stall_seconds(double seconds);

 private:
  static constexpr double DEFAULT_STALL_SECONDS = 10;

  using Lock = std::unique_lock<std::mutex>;

  struct Settings {
    Tuning tuning;
    std::map<Operation, Algorithm> chosen;
  };

  int run_message(const Request& request);
  int run_at_once(const ValidatedRequest& what, std::unique_ptr<Backend>* child);
  int run_in_turn(Work& work);
  SharedMemory* memory_of_all() const;
  void configure(const std::function<void(Backend&)>& change);
  void take_over(const Settings& settings);
  void perform(Lock& lock, Work& work);
  void give_back_turn() noexcept;
  void reopen_fast_path(const Lock& lock);
  int execute(const ValidatedRequest& what, std::int64_t submitted, std::unique_ptr<Backend>* child);
  void enqueue(const Lock& lock, std::shared_ptr<Work> work);
  void progress();
  void fail(const Error& error);
  void end_group(const Error& error);
  void check_open() const;

  const std::unique_ptr<Backend> backend_;
  const int rank_;
  const int size_;
  const Traffic* const traffic_;
  std::atomic<double> timeout_seconds_;
  std::atomic<double> stall_seconds_{DEFAULT_STALL_SECONDS};
  std::atomic<Algorithm> last_algorithm_{Algorithm::NONE};
  std::uint32_t generation_ = 0;
  std::atomic<bool> cancelled_{false};
  OperationStatistics statistics_;
  OperationLog log_;
  CompletionQueue completions_;
  std::unique_ptr<Channels> channels_;  ///< null in a group of one
  ExclusiveTurn turn_;                  ///< to be inside the backend; off the fast path, with the mutex

  std::mutex close_mutex_;
  std::mutex mutex_;  ///< guards what follows; never held while the backend works
  std::condition_variable changed_;
  bool closed_ = false;
  std::optional<Error> failure_;
  std::deque<std::shared_ptr<Work>> queue_;
  Settings settings_;  ///< what groups that are split off take over
  std::thread progress_thread_;
};

}  // namespace lockstep
