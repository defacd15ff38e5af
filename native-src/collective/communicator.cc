#include "collective/communicator.h"

#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include "core/memory.h"
#include "transport/shared_memory/shared_memory.h"

namespace lockstep {

Communicator::Communicator(std::unique_ptr<Backend> backend, double timeout_seconds)
    : backend_(std::move(backend)),
      rank_(backend_->rank()),
      size_(backend_->size()),
      timeout_seconds_(checked_timeout(timeout_seconds)) {}

Communicator::~Communicator() { close(); }

void Communicator::set_timeout(double seconds) {
  timeout_seconds_.store(checked_timeout(seconds), std::memory_order_relaxed);
}

int Communicator::run(const RawRequest& raw) {
  Work work(validate(raw, rank_, size_));
  return run_in_turn(work);
}

std::shared_ptr<Work> Communicator::start(const RawRequest& raw) {
  auto work = std::make_shared<Work>(validate(raw, rank_, size_));
  Lock lock(mutex_);
  check_open();
  enqueue(lock, work);
  return work;
}

std::shared_ptr<Communicator> Communicator::split(int color, int key) {
  ValidatedRequest what;
  what.request.operation = Operation::SPLIT;
  what.request.root_or_peer = color;
  what.request.tag = key;
  Work work(std::move(what));
  run_in_turn(work);
  if (work.child == nullptr) return nullptr;
  auto child = std::make_shared<Communicator>(std::move(work.child), timeout_seconds());
  Settings settings;
  {
    Lock lock(mutex_);
    settings = settings_;
  }
  child->take_over(settings);
  return child;
}

std::shared_ptr<std::byte> Communicator::allocate(std::size_t bytes) {
  {
    Lock lock(mutex_);
    check_open();
  }
  if (SharedMemory* memory = backend_->shared_memory()) return memory->allocate(bytes);
  return allocate_private(bytes);
}

int Communicator::run_in_turn(Work& work) {
  {
    Lock lock(mutex_);
    check_open();
    if (busy_ || !queue_.empty()) {
      // The caller's frame owns the work and outlives it, because wait() below returns only once it has
      // ended.
      enqueue(lock, std::shared_ptr<Work>(std::shared_ptr<void>(), &work));
    } else {
      perform(lock, work);
    }
  }
  return work.wait();
}

void Communicator::perform(Lock& lock, Work& work) {
  busy_ = true;
  lock.unlock();
  execute(work);
  lock.lock();
  busy_ = false;
  changed_.notify_all();
}

void Communicator::execute(Work& work) {
  const Request& request = work.what.request;
  const Deadline deadline(std::chrono::duration<double>(timeout_seconds()), cancelled_);
  const auto began = Deadline::Clock::now();
  std::optional<Error> error;
  int value = 0;
  try {
    if (request.operation == Operation::SPLIT) {
      work.child = backend_->split(request.root_or_peer, request.tag, deadline);
    } else {
      value = backend_->execute(request, deadline);
    }
  } catch (const Error& thrown) {
    error = thrown;
  } catch (const std::exception& thrown) {
    error = Error(ErrorCode::SYSTEM, std::string("The operation failed: ") + thrown.what() + ".");
  }
  last_algorithm_.store(backend_->last_algorithm(), std::memory_order_relaxed);
  nanoseconds_.fetch_add(std::chrono::nanoseconds(Deadline::Clock::now() - began).count(),
                         std::memory_order_relaxed);
  bytes_.fetch_add(static_cast<std::int64_t>(work.what.input_bytes), std::memory_order_relaxed);
  if (error) {
    fail(*error);
    work.fail(*error);
  } else {
    work.succeed(value);
  }
}

void Communicator::fail(const Error& error) {
  // Who closes on purpose says goodbye; peers that still wait for this rank learn that it has left.
  const bool on_purpose = error.code() == ErrorCode::CLOSED && cancelled_.load(std::memory_order_relaxed);
  if (!on_purpose) backend_->abort(error);
  backend_->close();
  std::deque<std::shared_ptr<Work>> pending;
  {
    Lock lock(mutex_);
    if (!on_purpose) failure_ = error;
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
  queue_.push_back(std::move(work));
  changed_.notify_all();
}

void Communicator::progress() {
  Lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closed_ || (!busy_ && !queue_.empty()); });
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
  cancelled_.store(true, std::memory_order_relaxed);
  std::deque<std::shared_ptr<Work>> pending;
  std::thread progress_thread;
  {
    Lock lock(mutex_);
    closed_ = true;
    pending.swap(queue_);
    progress_thread.swap(progress_thread_);
    changed_.notify_all();
    changed_.wait(lock, [this] { return !busy_; });
  }
  if (progress_thread.joinable()) progress_thread.join();
  const Error closed(ErrorCode::CLOSED,
                     "The communicator of rank " + std::to_string(rank_) + " was closed first.");
  for (const std::shared_ptr<Work>& work : pending) work->fail(closed);
  backend_->close();
}

}  // namespace lockstep
