#include "splitting/prox/dual_box_qp.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>

namespace lockstep::splitting {
namespace {

/// With s = Σw and p = Aᵀw the gradient of a neighbour is 3w_j + s − b_j and that of an anchor s + 2a_k·p −
/// b_k. Rows are basic (their gradient is held at zero) or rest at a value. Basic neighbours are eliminated:
/// w_j = (b_j − s)/3; what is left for the basic anchors is Kλ = r with K_kl = 1/h + 2 a_k·a_l and h = 1 +
/// (basic neighbours)/3, of rank d + 1 at most. So at most d + 1 anchors are basic, all independent.
class ActiveSet {
  static constexpr int MOST_BASIC = 4;
  static constexpr int FEW_ROWS = 96;
  /// Below this share of its diagonal a pivot of K counts as zero.
  static constexpr double DEPENDENT = 1e-12;
  /// Rounding must not make one negative.
  static constexpr double LEAST_PIVOT = 1e-16;

 public:
  ActiveSet(const DualBoxQp& problem, double* w)
      : q_(problem), w_(w), rows_(problem.neighbors + problem.anchors) {
    if (rows_ > FEW_ROWS) {
      many_ = std::make_unique<bool[]>(static_cast<std::size_t>(rows_));
      basic_ = many_.get();
    }
    double largest = 0;
    for (int i = 0; i < rows_; ++i) largest = std::max(largest, std::abs(q_.b[i]));
    tolerance_ = 4 * std::numeric_limits<double>::epsilon() * (q_.alpha * rows_ + largest);
  }

  void solve() {
    start();
    // Each round lowers the objective or ends at a vertex that it has not seen, so that few are needed; the
    // limit is for ties that only rounding decides.
    const int most_rounds = 200 + 20 * rows_;
    for (int round = 0; round < most_rounds; ++round) {
      if (!settle_basic()) continue;
      const int entering = find_violation(round > most_rounds / 2);
      if (entering < 0) return;
      enter(entering);
    }
  }

 private:
  const double* anchor(int row) const { return q_.positions + (row - q_.neighbors) * q_.dimension; }

  double dot(const double* x, const double* y) const {
    double sum = 0;
    for (int c = 0; c < q_.dimension; ++c) sum += x[c] * y[c];
    return sum;
  }

  void start() {
    for (int i = 0; i < rows_; ++i) {
      basic_[i] = false;
      if (std::isnan(w_[i])) w_[i] = 0;
      w_[i] = std::clamp(w_[i], -q_.alpha, q_.alpha);
      if (std::abs(w_[i]) == q_.alpha) continue;
      if (i < q_.neighbors) {
        basic_[i] = true;
        ++basic_neighbors_;
      } else if (basic_count_ <= q_.dimension && is_independent(i)) {
        make_basic(i);
      }
    }
  }

  void make_basic(int row) {
    basic_[row] = true;
    if (row < q_.neighbors) {
      ++basic_neighbors_;
    } else {
      basic_anchors_[basic_count_++] = row;
    }
  }

  void make_resting(int row) {
    basic_[row] = false;
    if (row < q_.neighbors) {
      --basic_neighbors_;
      return;
    }
    const int place = place_of(row);
    std::copy(basic_anchors_.begin() + place + 1, basic_anchors_.begin() + basic_count_,
              basic_anchors_.begin() + place);
    --basic_count_;
  }

  int place_of(int anchor_row) const {
    int place = 0;
    while (basic_anchors_[place] != anchor_row) ++place;
    return place;
  }

  double coupling(int row, int other, double h) const { return 1 / h + 2 * dot(anchor(row), anchor(other)); }

  /// L of K = LLᵀ over the basic anchors.
  void factorize() {
    const double h = 1 + basic_neighbors_ / 3.0;
    for (int k = 0; k < basic_count_; ++k) {
      for (int l = 0; l <= k; ++l) {
        const double entry = coupling(basic_anchors_[k], basic_anchors_[l], h);
        double value = entry;
        for (int m = 0; m < l; ++m) value -= factor_[k][m] * factor_[l][m];
        factor_[k][l] = l < k ? value / factor_[l][l] : std::sqrt(std::max(value, LEAST_PIVOT * entry));
      }
    }
  }

  /// x ← K⁻¹x
  void substitute(double* x) const {
    for (int k = 0; k < basic_count_; ++k) {
      for (int m = 0; m < k; ++m) x[k] -= factor_[k][m] * x[m];
      x[k] /= factor_[k][k];
    }
    for (int k = basic_count_ - 1; k >= 0; --k) {
      for (int m = k + 1; m < basic_count_; ++m) x[k] -= factor_[m][k] * x[m];
      x[k] /= factor_[k][k];
    }
  }

  /// Whether the anchor's row of K is no combination of those of the basic anchors.
  bool is_independent(int row) {
    factorize();
    const double h = 1 + basic_neighbors_ / 3.0;
    const double diagonal = coupling(row, row, h);
    double pivot = diagonal;
    std::array<double, MOST_BASIC> x{};
    for (int k = 0; k < basic_count_; ++k) {
      x[k] = coupling(basic_anchors_[k], row, h);
      for (int m = 0; m < k; ++m) x[k] -= factor_[k][m] * x[m];
      x[k] /= factor_[k][k];
      pivot -= x[k] * x[k];
    }
    return pivot > DEPENDENT * diagonal;
  }

  /// Moves the basic rows to where their gradient is zero, as far as the box allows.
  /// @return false where a bound stopped them, and one row rests on it from here on
  bool settle_basic() {
    double resting = 0;
    std::array<double, 3> p{};
    for (int i = 0; i < rows_; ++i) {
      if (basic_[i]) {
        if (i < q_.neighbors) resting += q_.b[i] / 3;
        continue;
      }
      resting += w_[i];
      if (i < q_.neighbors) continue;
      for (int c = 0; c < q_.dimension; ++c) p[c] += anchor(i)[c] * w_[i];
    }
    const double h = 1 + basic_neighbors_ / 3.0;
    std::array<double, MOST_BASIC> target{};
    factorize();
    for (int k = 0; k < basic_count_; ++k) {
      const int row = basic_anchors_[k];
      target[k] = q_.b[row] - resting / h - 2 * dot(anchor(row), p.data());
    }
    substitute(target.data());
    double s = resting;
    for (int k = 0; k < basic_count_; ++k) s += target[k];
    return move_basic(s / h, target.data());
  }

  bool move_basic(double s, const double* anchor_targets) {
    const auto target_of = [&](int row) {
      return row < q_.neighbors ? (q_.b[row] - s) / 3 : anchor_targets[place_of(row)];
    };
    double share = 1;
    int blocking = -1;
    for (int i = 0; i < rows_; ++i) {
      if (!basic_[i]) continue;
      const double target = target_of(i);
      if (std::abs(target) <= q_.alpha) continue;
      const double reach = (std::copysign(q_.alpha, target) - w_[i]) / (target - w_[i]);
      if (blocking >= 0 && reach >= share) continue;
      share = reach;
      blocking = i;
    }
    for (int i = 0; i < rows_; ++i) {
      if (!basic_[i] || i == blocking) continue;
      const double target = target_of(i);
      w_[i] = blocking < 0 ? target : std::clamp(w_[i] + share * (target - w_[i]), -q_.alpha, q_.alpha);
    }
    if (blocking < 0) return true;
    w_[blocking] = std::copysign(q_.alpha, target_of(blocking));
    make_resting(blocking);
    return false;
  }

  /// The resting row whose gradient most wants it to move, or −1. @param takes_first instead (Bland's rule)
  int find_violation(bool takes_first) {
    double s = 0;
    std::array<double, 3> p{};
    for (int i = 0; i < rows_; ++i) s += w_[i];
    for (int i = q_.neighbors; i < rows_; ++i) {
      for (int c = 0; c < q_.dimension; ++c) p[c] += anchor(i)[c] * w_[i];
    }
    double worst = tolerance_;
    int found = -1;
    for (int i = 0; i < rows_; ++i) {
      if (basic_[i]) continue;
      const double gradient = s - q_.b[i] + (i < q_.neighbors ? 3 * w_[i] : 2 * dot(anchor(i), p.data()));
      const bool may_move = gradient > 0 ? w_[i] > -q_.alpha : w_[i] < q_.alpha;
      if (!may_move || std::abs(gradient) <= worst) continue;
      found = i;
      entering_gradient_ = gradient;
      worst = std::abs(gradient);
      if (takes_first) break;
    }
    return found;
  }

  void enter(int row) {
    if (row < q_.neighbors || (basic_count_ <= q_.dimension && is_independent(row))) {
      make_basic(row);
    } else {
      slide(row);
    }
  }

  /// A dependent anchor: the objective falls evenly as it moves and the basic anchors give way, so that the
  /// box alone ends the step.
  void slide(int row) {
    const double h = 1 + basic_neighbors_ / 3.0;
    const double direction = entering_gradient_ > 0 ? -1 : 1;
    std::array<double, MOST_BASIC> way{};
    factorize();
    for (int k = 0; k < basic_count_; ++k) way[k] = coupling(basic_anchors_[k], row, h);
    substitute(way.data());
    double length = direction > 0 ? q_.alpha - w_[row] : w_[row] + q_.alpha;
    int blocking = -1;
    for (int k = 0; k < basic_count_; ++k) {
      way[k] *= -direction;
      const double w = w_[basic_anchors_[k]];
      const double room = way[k] > 0 ? q_.alpha - w : w + q_.alpha;
      if (std::abs(way[k]) * length > room) {
        length = room / std::abs(way[k]);
        blocking = k;
      }
    }
    for (int k = 0; k < basic_count_; ++k) w_[basic_anchors_[k]] += way[k] * length;
    w_[row] =
        blocking < 0 ? direction * q_.alpha : std::clamp(w_[row] + direction * length, -q_.alpha, q_.alpha);
    if (blocking < 0) return;
    const int left = basic_anchors_[blocking];
    w_[left] = std::copysign(q_.alpha, way[blocking]);
    make_resting(left);
    if (is_independent(row)) make_basic(row);
  }

  const DualBoxQp& q_;
  double* w_;
  const int rows_;
  double tolerance_;
  double entering_gradient_ = 0;
  int basic_neighbors_ = 0;
  int basic_count_ = 0;
  std::array<int, MOST_BASIC> basic_anchors_{};
  std::array<std::array<double, MOST_BASIC>, MOST_BASIC> factor_{};
  std::array<bool, FEW_ROWS> few_;
  std::unique_ptr<bool[]> many_;
  bool* basic_ = few_.data();
};

}  // namespace

void solve_dual(const DualBoxQp& problem, double* w) { ActiveSet(problem, w).solve(); }

}  // namespace lockstep::splitting
