"""Sensor networks as Lockstep reads them, and irregular ones that are made here.

A network of `irregular` is globally rigid: only one placement (up to what the noise blurs) has its distances. That is
checked by the rank of a random equilibrium stress (Gortler, Healy and Thurston, Amer. J. Math. 132, 2010).
"""
import csv
import math
import pathlib

import numpy as np

SHAPES = ("uniform", "corridor", "ring", "clusters", "c-shape")
NOISES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2)


class Network:
    """Points are the sensors, then the anchors; a range joins points[first] and points[second]."""

    def __init__(self, sensors, points, first, second, ranges, noise, reach):
        self.sensors, self.noise, self.reach = sensors, noise, reach
        self.points, self.first, self.second, self.ranges = points, first, second, ranges
        self.dimension = points.shape[1]

    @property
    def truth(self):
        return self.points[:self.sensors]

    @property
    def anchors(self):
        return self.points[self.sensors:]

    def name(self, point):
        return f"s{point}" if point < self.sensors else f"a{point - self.sensors}"

    def write(self, path):
        axes = ["x", "y", "z"][:self.dimension]
        with open(path, "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(["anchor", *axes])
            rows.writerows([self.name(self.sensors + k), *map(float, at)] for k, at in enumerate(self.anchors))
            rows.writerow(["sensor", *axes])
            rows.writerows([self.name(k), *map(float, at)] for k, at in enumerate(self.truth))
            rows.writerow(["from", "to", "range"])
            rows.writerows([self.name(a), self.name(b), float(r)]
                           for a, b, r in zip(self.first, self.second, self.ranges))


def read(path, noise):
    """A CSV file with blocks anchor, sensor (with coordinates: the truth) and from,to,range. The reach is the longest
    range."""
    blocks, block = {"anchor": {}, "sensor": {}, "from": []}, None
    with open(path, newline="", encoding="utf-8-sig") as file:
        for row in csv.reader(file):
            if not row or row[0].startswith("#"):
                continue
            if row[0] in blocks and row[1:2] in (["x"], ["to"]):
                block = row[0]
            elif block == "from":
                blocks["from"].append((row[0], row[1], float(row[2])))
            else:
                blocks[block][row[0]] = list(map(float, row[1:]))
    sensors, anchors = blocks["sensor"], blocks["anchor"]
    number = {name: k for k, name in enumerate([*sensors, *anchors])}
    pairs = {}
    for a, b, r in blocks["from"]:
        pair = tuple(sorted((number[a], number[b])))
        if pair[0] < len(sensors):
            pairs[pair] = r
    first, second = np.array(list(pairs)).T
    ranges = np.array(list(pairs.values()))
    return Network(len(sensors), np.array([*sensors.values(), *anchors.values()]), first, second, ranges, noise,
                   ranges.max())


def place(shape, count, dimension, random):
    if shape == "uniform":
        return random.random((count, dimension))
    if shape == "corridor":
        return random.random((count, dimension)) * ([1] + [0.2] * (dimension - 1))
    if shape == "ring":
        angle, radius = 2 * math.pi * random.random(count), 0.35 + 0.15 * random.random(count)
        flat = np.stack([0.5 + radius * np.cos(angle), 0.5 + radius * np.sin(angle)], axis=1)
        return flat if dimension == 2 else np.hstack([flat, 0.2 * random.random((count, 1))])
    if shape == "clusters":
        centers = random.random((max(3, count // 20), dimension))
        return centers[random.integers(len(centers), size=count)] + random.normal(0, 0.1, (count, dimension))
    points = random.random((4 * count + 50, dimension))  # C-shape: a bite out of one side.
    return points[~((points[:, 0] > 0.35) & (abs(points[:, 1] - 0.5) < 0.2))][:count]


def is_globally_rigid(sensors, points, first, second, random):
    """@return whether the graph, with all anchors joined to each other, is globally rigid at generic places"""
    count, d = points.shape
    place_at = random.normal(size=points.shape)
    anchors = np.array([(a, b) for a in range(sensors, count) for b in range(a + 1, count)]).reshape(-1, 2)
    a, b = np.concatenate([first, anchors[:, 0]]), np.concatenate([second, anchors[:, 1]])
    rigidity = np.zeros((len(a), count, d))
    k = np.arange(len(a))
    rigidity[k, a] = place_at[a] - place_at[b]
    rigidity[k, b] = place_at[b] - place_at[a]
    left, values, _ = np.linalg.svd(rigidity.reshape(len(a), -1), full_matrices=True)
    rank = int((values > 1e-9 * values[0]).sum())
    if rank < count * d - d * (d + 1) // 2:
        return False
    weights = left[:, rank:] @ random.normal(size=len(a) - rank)
    stress = np.zeros((count, count))
    np.add.at(stress, (a, b), -weights)
    np.add.at(stress, (b, a), -weights)
    np.add.at(stress, (a, a), weights)
    np.add.at(stress, (b, b), weights)
    values = np.linalg.svd(stress, compute_uv=False)
    return int((values > 1e-9 * values[0]).sum()) == count - d - 1


def measured(points, sensors, reach, noise, random):
    """All pairs within reach, but those of two anchors, each off by a normal fraction of its length."""
    first, second = np.triu_indices(len(points), 1)
    distance = np.linalg.norm(points[first] - points[second], axis=1)
    near = (distance < reach) & (first < sensors)
    ranges = np.abs(distance[near] * (1 + noise * random.normal(size=near.sum())))
    return Network(sensors, points, first[near], second[near], ranges, noise, reach)


def irregular(seed, most_sensors=200):
    """Number `seed` of the networks: shape, noise and dimension follow from it, the rest is drawn."""
    random = np.random.default_rng(seed)
    shape, noise, dimension = SHAPES[seed % 5], NOISES[seed // 5 % 6], 3 if seed % 7 > 3 else 2
    while True:
        sensors = int(math.exp(random.uniform(math.log(20), math.log(most_sensors))))
        anchors = max(dimension + 2, round(sensors * random.uniform(0.08, 0.12)))
        degree = random.uniform(7, 13) if dimension == 2 else random.uniform(10, 24)
        points = place(shape, sensors + anchors, dimension, random)
        first, second = np.triu_indices(len(points), 1)
        distances = np.linalg.norm(points[first] - points[second], axis=1)[first < sensors]
        reach = np.sort(distances)[min(int(0.55 * sensors * degree), len(distances) - 1)]
        network = measured(points, sensors, reach, noise, random)
        if is_globally_rigid(sensors, points, network.first, network.second, random):
            return shape, network


def dense(seed, noise, dimension, sensors=100, neighbors=28):
    """Uniform, with about so many ranges a sensor."""
    random = np.random.default_rng(seed)
    anchors = max(dimension + 2, sensors // 10)
    points = random.random((sensors + anchors, dimension))
    first, second = np.triu_indices(len(points), 1)
    distances = np.sort(np.linalg.norm(points[first] - points[second], axis=1)[first < sensors])
    return measured(points, sensors, distances[min(sensors * neighbors // 2, len(distances) - 1)], noise, random)


def load(folder, names=None):
    """@return (name, shape, network) of a folder with a meta.json: a list of {id, noise, shape}"""
    import json
    for entry in json.loads((pathlib.Path(folder) / "meta.json").read_text()):
        name = f"{entry['id']:03d}"
        if names is None or name in names:
            yield name, entry["shape"], read(pathlib.Path(folder) / f"{name}.csv", entry["noise"])
