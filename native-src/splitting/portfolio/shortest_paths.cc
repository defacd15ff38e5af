#include "splitting/portfolio/shortest_paths.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <utility>

#include "splitting/factorisation/small_eigen.h"

namespace lockstep::splitting {
namespace {

constexpr std::size_t MOST_LANDMARKS = 120;
constexpr std::size_t SPARE_VECTORS = 4;  // Of the subspace iteration, beside those that are asked for.
constexpr int ITERATIONS = 60;

/// Ranges, and the known distances between anchors, from every point.
class Paths {
 public:
  Paths(const RangeGraph& graph, std::span<const double> points)
      : flat_(static_cast<std::size_t>(graph.dimension())), edges_(points.size() / flat_) {
    const auto sensors = static_cast<std::size_t>(graph.sensors());
    for (std::int32_t sensor = 0; sensor < graph.sensors(); ++sensor) {
      for (const RangeEnd& end : graph.ends_of(sensor)) {
        const auto other = static_cast<std::size_t>(end.point);
        edges_[static_cast<std::size_t>(sensor)].emplace_back(other, end.range);
        if (other >= sensors) edges_[other].emplace_back(static_cast<std::size_t>(sensor), end.range);
      }
    }
    for (std::size_t a = sensors; a < edges_.size(); ++a) anchors_.push_back(a);
    points_ = points;
    is_anchor_ = [sensors](std::size_t point) { return point >= sensors; };
  }

  std::size_t size() const { return edges_.size(); }

  /// Dijkstra's algorithm. From the first anchor that is reached all others are at their known distances.
  std::vector<double> from(std::size_t source) const {
    std::vector<double> length(edges_.size(), std::numeric_limits<double>::infinity());
    using Entry = std::pair<double, std::size_t>;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> next;
    auto reach = [&](std::size_t point, double at) {
      if (!(at < length[point])) return;
      length[point] = at;
      next.emplace(at, point);
    };
    reach(source, 0);
    while (!next.empty()) {
      const auto [at, point] = next.top();
      next.pop();
      if (at > length[point]) continue;
      for (const auto& [other, range] : edges_[point]) reach(other, at + range);
      if (!is_anchor_(point)) continue;
      for (const std::size_t other : anchors_) {
        double square = 0;
        for (std::size_t k = 0; k < flat_; ++k) {
          const double difference = points_[point * flat_ + k] - points_[other * flat_ + k];
          square += difference * difference;
        }
        reach(other, at + std::sqrt(square));
      }
    }
    return length;
  }

 private:
  std::size_t flat_;
  std::vector<std::vector<std::pair<std::size_t, double>>> edges_;
  std::vector<std::size_t> anchors_;
  std::span<const double> points_;
  std::function<bool(std::size_t)> is_anchor_;
};

/// Points far from each other: each is the farthest from those before it.
std::vector<std::vector<double>> lengths_from_landmarks(const Paths& paths,
                                                        std::vector<std::size_t>& landmarks) {
  std::vector<std::vector<double>> lengths;
  std::vector<double> nearest(paths.size(), std::numeric_limits<double>::infinity());
  std::size_t next = 0;
  while (landmarks.size() < std::min(MOST_LANDMARKS, paths.size())) {
    landmarks.push_back(next);
    lengths.push_back(paths.from(next));
    for (std::size_t k = 0; k < nearest.size(); ++k) nearest[k] = std::min(nearest[k], lengths.back()[k]);
    next = static_cast<std::size_t>(std::max_element(nearest.begin(), nearest.end()) - nearest.begin());
    if (!(nearest[next] > 0)) break;
  }
  return lengths;
}

void orthonormalise(Dense& vectors) {
  for (std::size_t j = 0; j < vectors.columns; ++j) {
    for (int again = 0; again < 2; ++again) {
      for (std::size_t i = 0; i < j; ++i) {
        double dot = 0;
        for (std::size_t k = 0; k < vectors.rows; ++k) dot += vectors(k, i) * vectors(k, j);
        for (std::size_t k = 0; k < vectors.rows; ++k) vectors(k, j) -= dot * vectors(k, i);
      }
    }
    double square = 0;
    for (std::size_t k = 0; k < vectors.rows; ++k) square += vectors(k, j) * vectors(k, j);
    const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
    for (std::size_t k = 0; k < vectors.rows; ++k) vectors(k, j) *= scale;
  }
}

Dense product(const Dense& a, const Dense& b) {
  Dense c(a.rows, b.columns);
  for (std::size_t j = 0; j < b.columns; ++j) {
    for (std::size_t k = 0; k < a.columns; ++k) {
      for (std::size_t i = 0; i < a.rows; ++i) c(i, j) += a(i, k) * b(k, j);
    }
  }
  return c;
}

Dense transposed(const Dense& a) {
  Dense b(a.columns, a.rows);
  for (std::size_t j = 0; j < a.columns; ++j) {
    for (std::size_t i = 0; i < a.rows; ++i) b(j, i) = a(i, j);
  }
  return b;
}

/// The greatest eigenvalues by subspace iteration with Rayleigh–Ritz (Golub and Van Loan, 8.2).
Eigen leading(const Dense& matrix, std::size_t count) {
  const std::size_t width = std::min(matrix.rows, count + SPARE_VECTORS);
  Dense basis(matrix.rows, width);
  for (std::size_t j = 0; j < width; ++j) {
    for (std::size_t i = 0; i < matrix.rows; ++i) {
      basis(i, j) = std::cos(static_cast<double>((i + 1) * (j + 1)));
    }
  }
  orthonormalise(basis);
  for (int k = 0; k < ITERATIONS; ++k) {
    basis = product(matrix, basis);
    orthonormalise(basis);
  }
  Eigen ritz = symmetric_eigen(product(transposed(basis), product(matrix, basis)));
  ritz.vectors = product(basis, ritz.vectors);
  return ritz;
}

/// Landmark MDS (de Silva and Tenenbaum, 2004): all points × k.
Dense scale(const std::vector<std::vector<double>>& lengths, const std::vector<std::size_t>& landmarks,
            std::size_t dimensions) {
  const std::size_t count = landmarks.size();
  const std::size_t points = lengths.front().size();
  Dense squares(count, count);
  std::vector<double> means(count, 0.0);
  double mean = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      const double length = lengths[i][landmarks[j]];
      squares(i, j) = length * length;
      means[i] += squares(i, j) / static_cast<double>(count);
    }
    mean += means[i] / static_cast<double>(count);
  }
  Dense inner(count, count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      inner(i, j) = -0.5 * (0.5 * (squares(i, j) + squares(j, i)) - means[i] - means[j] + mean);
    }
  }
  const Eigen eigen = leading(inner, dimensions);
  Dense placed(points, dimensions);
  for (std::size_t k = 0; k < std::min(dimensions, eigen.values.size()); ++k) {
    if (!(eigen.values[k] > 0)) break;
    const double root = std::sqrt(eigen.values[k]);
    for (std::size_t point = 0; point < points; ++point) {
      double sum = 0;
      for (std::size_t i = 0; i < count; ++i) {
        sum += eigen.vectors(i, k) * (lengths[i][point] * lengths[i][point] - means[i]);
      }
      placed(point, k) = -0.5 * sum / root;
    }
  }
  return placed;
}

/// The orthogonal matrix nearest to `m` (polar decomposition); where m is singular, completed.
Dense nearest_orthogonal(const Dense& m) {
  const Eigen eigen = symmetric_eigen(product(transposed(m), m));
  Dense u = product(m, eigen.vectors);
  const double most = std::max(eigen.values.front(), 0.0);
  for (std::size_t j = 0; j < u.columns; ++j) {
    if (eigen.values[j] > 1e-12 * most) continue;
    // Any direction that is orthogonal to those before: the unit vector that they explain least.
    std::size_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < u.rows; ++i) {
      double explained = 0;
      for (std::size_t k = 0; k < j; ++k) {
        double square = 0;
        for (std::size_t l = 0; l < u.rows; ++l) square += u(l, k) * u(l, k);
        if (square > 0) explained += u(i, k) * u(i, k) / square;
      }
      if (explained < least) {
        least = explained;
        best = i;
      }
    }
    for (std::size_t i = 0; i < u.rows; ++i) u(i, j) = i == best ? 1 : 0;
  }
  orthonormalise(u);
  return product(u, transposed(eigen.vectors));
}

}  // namespace

std::vector<double> map_by_shortest_paths(const RangeGraph& graph, std::span<const double> points,
                                          int dimensions) {
  const auto flat = static_cast<std::size_t>(graph.dimension());
  const auto k = static_cast<std::size_t>(dimensions);
  const auto sensors = static_cast<std::size_t>(graph.sensors());
  const std::size_t anchors = points.size() / flat - sensors;
  const Paths paths(graph, points);
  std::vector<std::size_t> landmarks;
  const std::vector<std::vector<double>> lengths = lengths_from_landmarks(paths, landmarks);
  const Dense placed = scale(lengths, landmarks, k);
  std::vector<double> from(k, 0.0), to(k, 0.0);
  for (std::size_t a = 0; a < anchors; ++a) {
    for (std::size_t l = 0; l < k; ++l) from[l] += placed(sensors + a, l) / static_cast<double>(anchors);
    for (std::size_t l = 0; l < flat; ++l) {
      to[l] += points[(sensors + a) * flat + l] / static_cast<double>(anchors);
    }
  }
  Dense m(k, k);  // Σ target · sourceᵀ
  for (std::size_t a = 0; a < anchors; ++a) {
    for (std::size_t i = 0; i < flat; ++i) {
      for (std::size_t j = 0; j < k; ++j) {
        m(i, j) += (points[(sensors + a) * flat + i] - to[i]) * (placed(sensors + a, j) - from[j]);
      }
    }
  }
  const Dense turn = nearest_orthogonal(m);
  std::vector<double> out(sensors * k);
  for (std::size_t sensor = 0; sensor < sensors; ++sensor) {
    for (std::size_t i = 0; i < k; ++i) {
      double sum = to[i];
      for (std::size_t j = 0; j < k; ++j) sum += turn(i, j) * (placed(sensor, j) - from[j]);
      out[sensor * k + i] = sum;
    }
  }
  return out;
}

}  // namespace lockstep::splitting
