#include "core/log.h"

#include <cstddef>
#include <deque>
#include <mutex>
#include <new>

namespace lockstep {
namespace {

constexpr std::size_t LIMIT = 1000;

struct Notices {
  std::mutex mutex;
  std::deque<std::string> lines;
  std::size_t dropped = 0;
};

// Never destroyed: threads of the transports may still write while the process exits.
Notices& notices() {
  static Notices& instance = *new Notices;
  return instance;
}

}  // namespace

void log_notice(LogLevel level, std::string_view message) noexcept {
  Notices& all = notices();
  std::lock_guard lock(all.mutex);
  // One place stays free for the line that counts the dropped ones.
  if (all.dropped > 0 || all.lines.size() >= LIMIT - 1) {
    ++all.dropped;
    return;
  }
  try {
    std::string line = level == LogLevel::WARN ? "WARN " : "INFO ";
    all.lines.push_back(line.append(message));
  } catch (const std::bad_alloc&) {
    ++all.dropped;
  }
}

std::string take_notice() {
  Notices& all = notices();
  std::lock_guard lock(all.mutex);
  if (!all.lines.empty()) {
    std::string line = std::move(all.lines.front());
    all.lines.pop_front();
    return line;
  }
  if (all.dropped == 0) return "";
  std::string line =
      "WARN " + std::to_string(all.dropped) + " later notices were dropped, because nobody fetched them.";
  all.dropped = 0;
  return line;
}

}  // namespace lockstep
