#include "splitting/stopping.h"

#include <cmath>
#include <string>

#include "lockstep/error.h"

namespace lockstep::splitting {
namespace {

/// Barkley & Bassett stop when the best objective is more iterations old.
constexpr std::int64_t MOST_STALE = 100;

void demand(bool holds, const char* name, double value, const char* what) {
  if (holds) return;
  throw Error(ErrorCode::INVALID_ARGUMENT, std::string("The splitting cannot run: ") + name + " is " +
                                               std::to_string(value) + "; it must be " + what + ".");
}

}  // namespace

StoppingRule::StoppingRule(const Options& options)
    : tolerance_(options.tolerance), stops_early_(options.stops_early) {
  demand(options.gamma > 0 && options.gamma < 1, "gamma", options.gamma, "between 0 and 1");
  demand(options.alpha > 0 && std::isfinite(options.alpha), "alpha", options.alpha, "positive and finite");
  demand(options.tolerance >= 0 && std::isfinite(options.tolerance), "tolerance", options.tolerance,
         "0 (never) or positive");
}

void StoppingRule::restart() {
  progress_ = {};
  best_objective_ = 0;
  best_iteration_ = 0;
}

Progress StoppingRule::judge(const IterationTotals& totals) {
  ++progress_.iteration;
  progress_.objective = totals.objective;
  progress_.residual = totals.size > 0 ? std::sqrt(totals.change / totals.size) : 0;
  progress_.stop = Stop::NONE;
  if (best_iteration_ == 0 || totals.objective < best_objective_) {
    best_objective_ = totals.objective;
    best_iteration_ = progress_.iteration;
  }
  if (progress_.residual < tolerance_) {
    progress_.stop = Stop::TOLERANCE;
  } else if (stops_early_ && progress_.iteration - best_iteration_ > MOST_STALE) {
    progress_.stop = Stop::EARLY;
  }
  return progress_;
}

}  // namespace lockstep::splitting
