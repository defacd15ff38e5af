"""Maximum likelihood of a network by an implementation of its own (NumPy and SciPy): what positions are compared with."""
import numpy as np
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu


class Likelihood:
    """Costs are ½ Σ ((range − distance) / deviation)². Positions are sensors × d."""

    def __init__(self, network):
        self.network = network
        self.weigh_by_ranges()

    def weigh_by_ranges(self):
        """A range's standard deviation is a fraction of what was measured."""
        self.deviations = self.network.noise * self.network.ranges

    def weigh_by_distances(self, positions):
        """… of the distance between the positions, which counts as at least half the range."""
        distances, _ = self.distances(positions)
        self.deviations = self.network.noise * np.maximum(distances, 0.5 * self.network.ranges)

    def distances(self, positions):
        """@return lengths, and unit vectors from second to first"""
        points = np.vstack([positions, self.network.anchors])
        apart = points[self.network.first] - points[self.network.second]
        lengths = np.maximum(np.linalg.norm(apart, axis=1), 1e-300)
        return lengths, apart / lengths[:, None]

    def residuals(self, positions):
        return (self.distances(positions)[0] - self.network.ranges) / self.deviations

    def cost(self, positions):
        return 0.5 * float((self.residuals(positions) ** 2).sum())

    def negative_logarithm(self, positions):
        """Of the likelihood with deviations that follow from the distances."""
        self.weigh_by_distances(positions)
        return self.cost(positions) + float(np.log(self.deviations).sum())

    def jacobian(self, positions):
        network, d = self.network, self.network.dimension
        rows = (self.distances(positions)[1] / self.deviations[:, None])
        number = np.arange(len(rows))
        free = network.second < network.sensors
        parts = []
        for axis in range(d):
            parts.append((rows[:, axis], number, network.first * d + axis))
            parts.append((-rows[free, axis], number[free], network.second[free] * d + axis))
        values, at, column = (np.concatenate(each) for each in zip(*parts))
        return coo_matrix((values, (at, column)), shape=(len(rows), network.sensors * d)).tocsr()

    def descend(self, positions, steps=200, tolerance=1e-10):
        """Levenberg–Marquardt. @return positions and cost"""
        x, damping, cost = positions.copy(), 1e-3, self.cost(positions)
        for _ in range(steps):
            jacobian, residuals = self.jacobian(x), self.residuals(x)
            normal, gradient = (jacobian.T @ jacobian).tocsc(), jacobian.T @ residuals
            least = normal.diagonal() + 1e-300
            while damping < 1e12:
                step = splu((normal + diags(damping * least)).tocsc()).solve(-gradient).reshape(x.shape)
                trial = self.cost(x + step)
                if trial < cost:
                    break
                damping *= 8
            else:
                return x, cost
            is_done = cost - trial < tolerance * max(cost, 1e-30)
            x, cost, damping = x + step, trial, max(damping * 0.2, 1e-12)
            if is_done:
                break
        return x, cost

    def from_truth(self):
        """Weights by the ranges. @return positions and cost"""
        self.weigh_by_ranges()
        return self.descend(self.network.truth)

    def reweighted(self, positions, rounds=12):
        """Weights by the distances of the estimate, to a fixed point. @return positions"""
        x = positions
        for _ in range(rounds):
            self.weigh_by_distances(x)
            before, (x, _) = x, self.descend(x)
            if np.abs(x - before).max() < 1e-5 * self.network.ranges.mean():
                break
        return x

    def deviations_of_sensors(self, positions):
        """Root of the trace of each sensor's block of the inverse normal matrix."""
        jacobian = self.jacobian(positions)
        inverse = np.linalg.pinv((jacobian.T @ jacobian).toarray())
        return np.sqrt(np.maximum(np.diag(inverse).reshape(-1, self.network.dimension).sum(axis=1), 0))
