#include "transport/stall.h"

#include <cstdio>

#include "core/log.h"

namespace lockstep {
namespace {

std::string rank_name(int rank) {
  return rank == Transport::ANY ? "any rank" : "rank " + std::to_string(rank);
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

std::string waiting_text(int rank, const PendingOperation& pending, const std::string& where) {
  return rank_name(rank) + " waits for " + rank_name(pending.awaited) + " in " + where + " (" +
         seconds_text(pending.seconds) + ")";
}

std::string absent_text(int rank, const WaitReport& entry) {
  std::string text = rank_name(rank);
  text += entry.has_left ? " has left the group" : " is in no operation of this group, or does not respond";
  if (entry.last_seen) {
    text += "; it was last heard of in " + entry.last_seen->describe();
    if (entry.last_seen_seconds >= 0) text += ", " + seconds_text(entry.last_seen_seconds) + " ago";
  }
  return text;
}

}  // namespace

std::optional<std::string> stall_report(int own_rank, const PendingOperation& own,
                                        const std::vector<WaitReport>& wait_reports, double limit) {
  constexpr double SLACK = 1;  // Ranks begin to wait at different times.
  std::string text = "Stalled: " + waiting_text(own_rank, own, own.signature.describe());
  for (int rank = 0; rank < static_cast<int>(wait_reports.size()); ++rank) {
    if (rank == own_rank) continue;
    const WaitReport& entry = wait_reports[static_cast<std::size_t>(rank)];
    if (!entry.pending) {
      text += "; " + absent_text(rank, entry);
      continue;
    }
    if (rank < own_rank && entry.pending->seconds >= limit - SLACK) return std::nullopt;
    const bool same = entry.pending->signature == own.signature;
    text += "; " + waiting_text(rank, *entry.pending,
                                same ? std::string("the same") : entry.pending->signature.describe());
  }
  return text + ".";
}

StallWatch::StallWatch(int own_rank, const Signature& signature, const int& awaited, const Deadline& deadline)
    : own_rank_(own_rank),
      signature_(signature),
      awaited_(awaited),
      limit_(deadline.stall_after()),
      began_(Deadline::Clock::now()) {}

StallWatch::~StallWatch() {
  if (!told_) return;
  try {
    log_notice(LogLevel::INFO, "The stall of rank " + std::to_string(own_rank_) + " in " +
                                   signature_.describe() + " ended after " +
                                   seconds_text(Deadline::Seconds(waited()).count()) + ".");
  } catch (const std::exception&) {
    // No memory for a notice.
  }
}

StallWatch::Due StallWatch::look() {
  if (!due_ || waited() < limit_) return Due::NOTHING;
  if (!called_) {
    called_ = true;
    return Due::CALL_ROLL;
  }
  if (waited() < limit_ + ANSWER_TIME) return Due::NOTHING;
  due_ = false;
  return Due::REPORT;
}

void StallWatch::report(const std::vector<WaitReport>& wait_reports) {
  const std::optional<std::string> text = stall_report(own_rank_, pending(), wait_reports, limit_.count());
  if (!text) return;
  told_ = true;
  log_notice(LogLevel::WARN, *text);
}

PendingOperation StallWatch::pending() const {
  return {signature_, awaited_, Deadline::Seconds(waited()).count()};
}

}  // namespace lockstep
