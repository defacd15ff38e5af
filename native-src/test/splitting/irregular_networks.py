"""Prints irregular networks as networks.h reads them, with the cost of the maximum-likelihood estimate near the truth.

    python3 irregular_networks.py > irregular_networks.inc

Made for Lockstep. Sensors in a C shape, a corridor, clusters and a ring; each has ranges to its nearest points, off by
a share of the distance. The estimate is found by Gauss-Newton from the truth, weights from its own distances. Needs NumPy.
"""
import numpy as np

from network_fixtures import field

NETWORKS = (  # shape, dimension, sensors, anchors, nearest points, noise, seed
    ("c", 2, 40, 4, 7, 0.01, 1),
    ("corridor", 2, 36, 4, 7, 0.02, 2),
    ("clusters", 2, 40, 4, 7, 0.02, 6),
    ("ring", 3, 40, 5, 10, 0.02, 4),
)


def places(shape, dimension, count, random):
    if shape == "corridor":
        return random.random((count, dimension)) * ([3] + [0.4] * (dimension - 1))
    if shape == "clusters":
        centers = random.random((4, dimension))
        return centers[np.arange(count) % 4] + 0.12 * random.standard_normal((count, dimension))
    angle = random.random(count) * (2 * np.pi if shape == "ring" else 1.6 * np.pi)
    radius = 0.7 + 0.3 * random.random(count)
    rest = 0.3 * random.random((count, dimension - 2))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle), rest])


def differences(positions, points, pairs):
    points = np.vstack([positions, points[len(positions):]])
    return points[pairs[:, 0]] - points[pairs[:, 1]]


def estimate(points, sensors, pairs, ranges, noise):
    positions = points[:sensors].copy()
    dimension = positions.shape[1]
    for _ in range(200):
        offset = differences(positions, points, pairs)
        distance = np.linalg.norm(offset, axis=1)
        sigma = noise * distance
        jacobian = np.zeros((len(pairs), sensors, dimension))
        rows = np.arange(len(pairs))
        direction = offset / (distance * sigma)[:, None]
        jacobian[rows, pairs[:, 0]] = direction
        inner = pairs[:, 1] < sensors
        jacobian[rows[inner], pairs[inner, 1]] = -direction[inner]
        residual = (ranges - distance) / sigma
        step = np.linalg.lstsq(jacobian.reshape(len(pairs), -1), residual, rcond=None)[0]
        positions += 0.5 * step.reshape(positions.shape)
    distance = np.linalg.norm(differences(positions, points, pairs), axis=1)
    return 0.5 * np.sum(((ranges - distance) / (noise * distance)) ** 2), np.abs(step).max()


def main():
    for shape, dimension, sensors, anchors, nearest, noise, seed in NETWORKS:
        random = np.random.default_rng(seed)
        points = places(shape, dimension, sensors + anchors, random).round(4)
        apart = np.linalg.norm(points[:, None] - points[None], axis=2)
        pairs = sorted({(min(k, j), max(k, j)) for k in range(sensors) for j in map(int, np.argsort(apart[k])[1 : nearest + 1])})
        pairs = np.array(pairs)
        ranges = apart[pairs[:, 0], pairs[:, 1]] * (1 + noise * random.standard_normal(len(pairs)))
        ranges = np.abs(ranges).round(5)
        cost, last_step = estimate(points, sensors, pairs, ranges, noise)
        assert last_step < 1e-9
        print("// %s, seed %d" % (shape, seed))
        print("{.noise = %r, .cost = %.6f, .known = {" % (noise, cost))
        field("dimension", dimension)
        field("anchors", points[sensors:].ravel().tolist())
        field("truth", points[:sensors].ravel().tolist())
        rows = list(zip(pairs.tolist(), ranges.tolist()))
        field("sensor_ranges", [[i, j, r] for (i, j), r in rows if j < sensors])
        field("anchor_ranges", [[i, j - sensors, r] for (i, j), r in rows if j >= sensors])
        print(".neighbors = {}}},")


main()
