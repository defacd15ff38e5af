#pragma once

/// @file
/// The iteration itself, in its two forms.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "collective/communicator/communicator.h"
#include "lockstep/error.h"
#include "splitting/network/network.h"

namespace lockstep::splitting {

enum class Form : std::int32_t { SPARSE, DENSE };
enum class Design : std::int32_t { SINKHORN_KNOPP, METROPOLIS, USER };
enum class ProxKind : std::int32_t { EXACT, INEXACT };

struct Options {
  Form form = Form::SPARSE;
  Design design = Design::METROPOLIS;
  ProxKind prox = ProxKind::EXACT;
  double gamma = 0.999;      ///< step of the duals, in (0, 1)
  double alpha = 10.0;       ///< step of the prox, > 0
  double tolerance = 0;      ///< stop when the consensus residual is below; 0: never
  bool stops_early = false;  ///< the paper's heuristic: the best Σ g_i(y_i) is more than 100 iterations old
  std::vector<double> user_weights = {};  ///< P, sensors × sensors, for Design::USER (dense form)
};

enum class Stop : std::int32_t { NONE, TOLERANCE, EARLY };

struct Progress {
  std::int64_t iteration = 0;
  double objective = 0;  ///< Σ g_i(y_i), each on its own copy
  double residual = 0;   ///< consensus residual, relative
  Stop stop = Stop::NONE;
};

/// Collective: all ranks of the group call the same with the same arguments, and get the same bits, which do
/// not depend on the number of ranks either. One thread at a time.
class Splitting {
 public:
  virtual ~Splitting() = default;

  /// Begins anew. @param positions sensors × d to start warm from; empty for a cold start
  virtual void start(std::span<const double> positions) = 0;

  /// Runs up to `iterations` more, fewer where a stopping rule holds.
  virtual Progress advance(std::int64_t iterations) = 0;

  /// Goes on with another network: sensors join and leave, ranges change. What a sensor keeps of its block it
  /// goes on with, duals included. Iterations are counted anew.
  /// @param network checked, of the same dimension
  /// @param kept each sensor's number before, −1 for those that join
  /// @param positions sensors × d: where what is new starts from
  /// @throws Error INVALID_ARGUMENT in the dense form, which has to begin anew, and where lengths or numbers
  /// do not fit
  virtual void replace(const Network& network, std::span<const std::int32_t> kept,
                       std::span<const double> positions) {
    static_cast<void>(network), static_cast<void>(kept), static_cast<void>(positions);
    throw Error(ErrorCode::INVALID_ARGUMENT,
                "The dense form cannot go on with another network: start it anew from the last positions, or "
                "use the sparse form.");
  }

  /// The estimates of all sensors, sensors × d, on every rank.
  virtual void positions(std::span<double> out) = 0;

  /// Y_ii − ‖X_i‖² of all sensors at the mean of an entry's copies, on every rank: a sensor's variance in the
  /// dimensions that the relaxation has beyond d (So and Ye, Math. Program. 109, 2007). Blocks are positive
  /// semidefinite, so that where these are all 0 each block is of rank d, and X is the global minimum of Σ
  /// g_i with Y = XXᵀ. @param out sensors
  virtual void excess(std::span<double> out) = 0;

  /// Σ g_i at the mean over an entry's holders of the copies (over all 2n in the dense form).
  virtual double mean_objective() = 0;
};

/// The form that the options ask for. Networks that are not of about unit size near the origin are moved
/// there and back (framed_splitting.h), so that `alpha` means the same for all.
/// @param network checked
std::unique_ptr<Splitting> make_splitting(std::shared_ptr<Communicator> group, const Network& network,
                                          const Options& options);
std::unique_ptr<Splitting> make_dense(std::shared_ptr<Communicator> group, const Network& network,
                                      const Options& options);
std::unique_ptr<Splitting> make_sparse(std::shared_ptr<Communicator> group, const Network& network,
                                       const Options& options);

}  // namespace lockstep::splitting
