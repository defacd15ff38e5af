#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/deadline.h"
#include "transport/transport.h"

namespace lockstep {

/// What a rank waits for.
struct LOCKSTEP_API PendingOperation {
  Signature signature;
  int awaited = Transport::ANY;
  double seconds = 0;  ///< for so long
};

/// What is known of one rank when the states of all ranks are collected.
struct LOCKSTEP_API WaitReport {
  std::optional<PendingOperation> pending;  ///< nothing when it did not answer
  bool has_left = false;
  std::optional<Signature> last_seen;  ///< the latest operation in which it was heard of
  static constexpr double UNKNOWN = -1;
  double last_seen_seconds = 0;  ///< so long ago
};

/// Watches one wait: when it has taken Deadline::stall_after(), the states of all ranks are collected, and
/// what comes of it goes to the log, once; the end of the wait is then told too. Of several ranks that wait
/// in vain only the lowest speaks. A transport makes one in a wait that has become slow:
///
///     StallWatch watch(rank, signature, awaited, deadline);
///     while (…) {
///       switch (watch.look()) { case CALL_ROLL: (ask the peers, if they must be asked) …
///                               case REPORT: watch.report(…); }
///       …sleep, at most Deadline::POLL_INTERVAL…
///     }
class LOCKSTEP_API StallWatch {
 public:
  enum class Due { NOTHING, CALL_ROLL, REPORT };

  /// How long ranks have for an answer.
  static constexpr std::chrono::milliseconds ANSWER_TIME{500};

  StallWatch(int own_rank, const Signature& signature, const int& awaited, const Deadline& deadline);
  /// Tells the log that the wait is over, if it was told of it.
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

  /// Each but NOTHING is due once.
  Due look();

  /// @param wait_reports of all ranks of the group; that of this rank is not looked at
  void report(const std::vector<WaitReport>& wait_reports);

  PendingOperation pending() const;

 private:
  Deadline::Clock::duration waited() const { return Deadline::Clock::now() - began_; }

  const int own_rank_;
  const Signature signature_;
  const int& awaited_;
  const Deadline::Seconds limit_;
  const Deadline::Clock::time_point began_;
  bool called_ = false;
  bool due_ = true;
  bool told_ = false;
};

/// "Stalled: rank 0 waits for rank 2 in barrier #7 (10.5 s); …" — nothing where a lower rank has waited for
/// long too, which then says it.
/// @param limit seconds after which a rank speaks
std::optional<std::string> stall_report(int own_rank, const PendingOperation& own,
                                        const std::vector<WaitReport>& wait_reports, double limit);

}  // namespace lockstep
