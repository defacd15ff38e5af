#include "collective/communicator/communicator.h"

#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include "channel/channels.h"
#include "collective/communicator/message_wire.h"
#include "core/clock.h"
#include "core/data_type.h"
#include "core/interruption.h"
#include "lockstep/statistics.h"

namespace lockstep {
namespace {

bool is_message(Operation operation) {
  return operation == Operation::SEND || operation == Operation::RECEIVE;
}

Transfer transfer_from(const Request& request) {
  const bool is_send = request.operation == Operation::SEND;
  return {.is_send = is_send,
          .type = request.type,
          .peer = request.root_or_peer,
          .tag = request.tag,
          .data = is_send ? const_cast<std::byte*>(request.input) : request.output,
          .count = request.count};
}

}  // namespace

Communicator::Communicator(std::unique_ptr<Backend> backend, double timeout_seconds,
                           std::unique_ptr<Wire> wire)
    : backend_(std::move(backend)),
      rank_(backend_->rank()),
      size_(backend_->size()),
      traffic_(backend_->traffic()),
      timeout_seconds_(checked_timeout(timeout_seconds)) {
  calibrate_clock();
  if (wire == nullptr) wire = backend_->take_wire();
  if (wire == nullptr) return;
  channels_ = std::make_unique<Channels>(std::move(wire), statistics_, completions_);
  channels_->set_stall_seconds(DEFAULT_STALL_SECONDS);
}

Communicator::Communicator(std::unique_ptr<Backend> backend, double timeout_seconds)
    : Communicator(std::move(backend), timeout_seconds, nullptr) {}

Communicator::~Communicator() { close(); }

void Communicator::set_timeout(double seconds) {
  timeout_seconds_.store(checked_timeout(seconds), std::memory_order_relaxed);
}

void Communicator::set_stall_seconds(double seconds) {
  stall_seconds_.store(checked_timeout(seconds), std::memory_order_relaxed);
  if (channels_ != nullptr) channels_->set_stall_seconds(checked_timeout(seconds));
}

int Communicator::run(const RawRequest& raw) {
  ValidatedRequest what = validate(raw, rank_, size_);
  if (is_message(what.request.operation)) return run_message(what.request);
  if (turn_.try_take()) return run_at_once(what, nullptr);
  Work work(std::move(what));
  return run_in_turn(work);
}

std::shared_ptr<Work> Communicator::start(const RawRequest& raw) {
  auto work = std::make_shared<Work>(validate(raw, rank_, size_));
  if (is_message(work->what.request.operation)) {
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "A " + name_of(work->what.request.operation) + " is no collective; post it on a channel.");
  }
  Lock lock(mutex_);
  check_open();
  enqueue(lock, work);
  return work;
}

Channels& Communicator::channels() {
  if (channels_ != nullptr) return *channels_;
  throw Error(ErrorCode::INVALID_ARGUMENT, "A group of one has no peer to exchange messages with.");
}

Transfer Communicator::transfer_of(const RawRequest& raw) const {
  const ValidatedRequest what = validate(raw, rank_, size_);
  if (!is_message(what.request.operation)) {
    throw Error(ErrorCode::INVALID_ARGUMENT, "A channel carries no " + name_of(what.request.operation) + ".");
  }
  return transfer_from(what.request);
}

int Communicator::run_message(const Request& request) {
  const Transfer transfer = transfer_from(request);
  const double seconds = timeout_seconds();
  Incoming incoming{request.root_or_peer, request.type, request.count};
  if (channels().exchange({&transfer, 1}, Channels::Seconds(seconds), {&incoming, 1}))
    return transfer.is_send ? 0 : incoming.source;
  Signature signature;
  signature.operation = Operation::SEND;
  signature.type = request.type;
  signature.tag = request.tag;
  signature.count = request.count;
  if (is_interrupted()) throw interrupted_error(rank_, signature.describe());
  throw timeout_error(rank_, request.root_or_peer, signature,
                      Deadline(Deadline::Seconds(seconds), cancelled_));
}

std::shared_ptr<Communicator> Communicator::split(int color, int key) {
  ValidatedRequest what;
  what.request.operation = Operation::SPLIT;
  what.request.root_or_peer = color;
  what.request.tag = key;
  Work work(std::move(what));
  run_in_turn(work);
  if (work.child == nullptr) return nullptr;
  std::unique_ptr<Wire> wire = message_wire(*work.child, timeout_seconds());
  auto child = std::make_shared<Communicator>(std::move(work.child), timeout_seconds(), std::move(wire));
  Settings settings;
  {
    Lock lock(mutex_);
    settings = settings_;
  }
  child->take_over(settings);
  child->set_stall_seconds(stall_seconds_.load(std::memory_order_relaxed));
  child->generation_ = generation_;
  return child;
}

// Fast path: uncontended, so no mutex, no Work object and no wake-up.
int Communicator::run_at_once(const ValidatedRequest& what, std::unique_ptr<Backend>* child) {
  struct Holder {
    Communicator& communicator;
    ~Holder() { communicator.give_back_turn(); }
  };
  const Holder holder{*this};
  return execute(what, 0, child);
}

void Communicator::give_back_turn() noexcept {
  if (turn_.try_give_back()) return;
  Lock lock(mutex_);
  turn_.end();
  changed_.notify_all();
  reopen_fast_path(lock);
}

// Only when the queue is empty, so that a direct call cannot overtake a queued one.
void Communicator::reopen_fast_path(const Lock&) {
  if (!closed_ && !failure_ && queue_.empty()) turn_.open();
}

int Communicator::run_in_turn(Work& work) {
  {
    Lock lock(mutex_);
    check_open();
    turn_.bar();
    if (turn_.is_taken() || !queue_.empty()) {
      // The caller's frame owns the work and outlives it, because wait() below returns only once it has
      // ended.
      enqueue(lock, std::shared_ptr<Work>(std::shared_ptr<void>(), &work));
    } else {
      perform(lock, work);
    }
  }
  if (work.wait_unless_interrupted()) return work.wait();
  const Error interrupted = interrupted_error(rank_, "a " + name_of(work.what.request.operation));
  end_group(interrupted);
  try {
    return work.wait();
  } catch (const Error&) {
    throw interrupted;
  }
}

// The caller of an operation that is queued cannot leave before it has ended: its memory is in use, and the
// other ranks count on it. So the group ends as if the operation had failed.
void Communicator::end_group(const Error& error) {
  std::deque<std::shared_ptr<Work>> pending;
  {
    Lock lock(mutex_);
    if (closed_ || failure_) return;
    turn_.bar();
    failure_ = error;
    pending.swap(queue_);
    cancelled_.store(true, std::memory_order_relaxed);
    changed_.wait(lock, [this] { return !turn_.is_taken(); });
    turn_.take();
  }
  backend_->abort(error);
  backend_->close();
  const Error closed(ErrorCode::CLOSED, std::string("The group has ended: ") + error.what(), error.rank());
  for (const std::shared_ptr<Work>& work : pending) work->fail(closed);
  Lock lock(mutex_);
  cancelled_.store(closed_, std::memory_order_relaxed);
  turn_.end();
  changed_.notify_all();
}

void Communicator::perform(Lock& lock, Work& work) {
  turn_.take();
  lock.unlock();
  try {
    work.succeed(execute(work.what, work.submitted, &work.child));
  } catch (const Error& error) {
    work.fail(error);
  }
  lock.lock();
  turn_.end();
  changed_.notify_all();
  reopen_fast_path(lock);
}

/// @param submitted when the operation was queued; 0 where it was not
/// @param child where to put what a SPLIT makes
int Communicator::execute(const ValidatedRequest& what, std::int64_t submitted,
                          std::unique_ptr<Backend>* child) {
  const Request& request = what.request;
  const auto deadline =
      Deadline::from_first_look(Deadline::Seconds(timeout_seconds()), cancelled_,
                                Deadline::Seconds(stall_seconds_.load(std::memory_order_relaxed)));
  const auto bytes = static_cast<std::int64_t>(what.input_bytes);
  const std::int64_t waited_before = traffic_ == nullptr ? 0 : traffic_->waited_nanoseconds();
  const std::int64_t began = clock_nanoseconds();
  log_.begin(request, bytes, submitted == 0 ? began : submitted, began);
  std::optional<Error> error;
  int value = 0;
  try {
    if (request.operation == Operation::SPLIT) {
      *child = backend_->split(request.root_or_peer, request.tag, deadline);
    } else {
      value = backend_->execute(request, deadline);
    }
  } catch (const Error& thrown) {
    error = thrown;
  } catch (const std::exception& thrown) {
    error = Error(ErrorCode::SYSTEM, std::string("The operation failed: ") + thrown.what() + ".");
  }
  const Algorithm algorithm = backend_->last_algorithm();
  last_algorithm_.store(algorithm, std::memory_order_relaxed);
  const std::int64_t ended = clock_nanoseconds();
  const std::int64_t waited = traffic_ == nullptr ? 0 : traffic_->waited_nanoseconds() - waited_before;
  log_.end(algorithm, error ? OPERATION_FAILED : OPERATION_DONE, ended);
  statistics_.add(request.operation, algorithm, bytes, ended - began, waited, error.has_value());
  if (!error) return value;
  fail(*error);
  throw Error(*error);
}

void Communicator::fail(const Error& error) {
  std::optional<Error> before;  // what end_group() ends the running operation for
  {
    Lock lock(mutex_);
    before = failure_;
  }
  // Who closes on purpose says goodbye; peers that still wait for this rank learn that it has left.
  const bool on_purpose =
      !before && error.code() == ErrorCode::CLOSED && cancelled_.load(std::memory_order_relaxed);
  if (!on_purpose) backend_->abort(before.value_or(error));
  backend_->close();
  std::deque<std::shared_ptr<Work>> pending;
  {
    Lock lock(mutex_);
    turn_.bar();
    if (!on_purpose && !failure_) failure_ = error;
    pending.swap(queue_);
  }
  for (const std::shared_ptr<Work>& work : pending) work->fail(error);
}

void Communicator::enqueue(const Lock&, std::shared_ptr<Work> work) {
  if (!progress_thread_.joinable()) {
    try {
      progress_thread_ = std::thread([this] { progress(); });
    } catch (const std::system_error& thrown) {
      throw Error(ErrorCode::SYSTEM, std::string("Cannot start the progress thread: ") + thrown.what() + ".");
    }
  }
  turn_.bar();
  queue_.push_back(std::move(work));
  changed_.notify_all();
}

void Communicator::progress() {
  never_interrupt_this_thread();
  Lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closed_ || (!queue_.empty() && !turn_.is_taken()); });
    if (closed_) return;
    const std::shared_ptr<Work> work = std::move(queue_.front());
    queue_.pop_front();
    perform(lock, *work);
  }
}

void Communicator::check_open() const {
  if (failure_) {
    throw Error(ErrorCode::CLOSED,
                "The communicator of rank " + std::to_string(rank_) +
                    " was closed by an earlier error, open a new one. The error was: " + failure_->what(),
                failure_->rank());
  }
  if (closed_) {
    throw Error(ErrorCode::CLOSED, "The communicator of rank " + std::to_string(rank_) + " has been closed.");
  }
}

void Communicator::close() noexcept {
  std::lock_guard one_at_a_time(close_mutex_);
  std::deque<std::shared_ptr<Work>> pending;
  std::thread progress_thread;
  {
    Lock lock(mutex_);
    turn_.bar();
    // Before the flag below ends the running operation, so that nobody opens the fast path again after it.
    closed_ = true;
    cancelled_.store(true, std::memory_order_relaxed);
    pending.swap(queue_);
    progress_thread.swap(progress_thread_);
    changed_.notify_all();
    changed_.wait(lock, [this] { return !turn_.is_taken(); });
  }
  if (progress_thread.joinable()) progress_thread.join();
  const Error closed(ErrorCode::CLOSED,
                     "The communicator of rank " + std::to_string(rank_) + " was closed first.");
  for (const std::shared_ptr<Work>& work : pending) work->fail(closed);
  if (channels_ != nullptr) channels_->close();
  backend_->close();
  completions_.close();
}

}  // namespace lockstep
