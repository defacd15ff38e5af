#!/usr/bin/env python3
"""Side by side: rounds of FedAvg by Lockstep and by Flower's simulation (Ray), on the same two cores.

    python3 benchmarks/peers/compare_federated.py --python VENV/bin/python --data FOLDER [--runs 3] [--rounds 6]

VENV has flwr[simulation] and torch; FOLDER the four files of Fashion-MNIST. Ten clients with a thousand images each, all in
every round, one epoch in batches of 32, SGD 0.01 with momentum 0.9, a small convolutional network; the same initial weights,
shares and normalisation for both, and one thread a worker. The contestants take turns. The first round of each run, in which
workers begin, is left out. Prints a Markdown table for benchmarks/RESULTS.md.
"""
import argparse
import gzip
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
import federated  # noqa: E402

SAMPLES = 10000
CLIENTS = 10
YAML = """
name: compare
seed: 1
data: {path: IMAGES, features: [values], targets: [labels], validation_fraction: 0.0}
model: {type: file, file: MODEL}
optimizer: {type: sgd, learning_rate: 0.01, momentum: 0.9}
federation:
  clients: 10
  batch_size: 32
  loss: cross_entropy
  checkpoint_every: 0
  partition: {type: given, file: PARTS}
"""
# Run by the Python that has numpy and torch: data as both see them, and the model that both begin with.
PREPARE = """
import gzip, pathlib, sys
import numpy, torch
folder, data = map(pathlib.Path, sys.argv[1:3])
def images(file): return numpy.frombuffer(gzip.open(file).read()[16:], numpy.uint8).reshape(-1, 784).astype(numpy.float64)
def labels(file): return numpy.frombuffer(gzip.open(file).read()[8:], numpy.uint8)
train = images(folder / 'part-images-idx3-ubyte.gz')
mean, deviation = train.mean(0), train.std(0)
deviation[deviation <= 1e-14 * mean] = 1
numpy.save(folder / 'images.npy', ((train - mean) / deviation).astype(numpy.float32))
numpy.save(folder / 'labels.npy', labels(folder / 'part-labels-idx1-ubyte.gz'))
test = images(data / 't10k-images-idx3-ubyte.gz')
numpy.save(folder / 'test-images.npy', ((test - mean) / deviation).astype(numpy.float32))
numpy.save(folder / 'test-labels.npy', labels(data / 't10k-labels-idx1-ubyte.gz'))
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Unflatten(1, (1, 28, 28)), torch.nn.Conv2d(1, 16, 5), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
                          torch.nn.Conv2d(16, 32, 5), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
                          torch.nn.Linear(512, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
torch.jit.script(net).save(str(folder / 'model.pt'))
"""


def part(source, target, header, size):
    """The first samples of an IDX file."""
    with gzip.open(source) as file:
        content = file.read(header + SAMPLES * size)
    content = content[:4] + SAMPLES.to_bytes(4, "big") + content[8:]
    with gzip.open(target, "wb", compresslevel=1) as file:
        file.write(content)


def prepare(folder, data, python):
    part(data / "train-images-idx3-ubyte.gz", folder / "part-images-idx3-ubyte.gz", 16, 784)
    part(data / "train-labels-idx1-ubyte.gz", folder / "part-labels-idx1-ubyte.gz", 8, 1)
    order = list(range(SAMPLES))
    random.Random(1).shuffle(order)
    share = SAMPLES // CLIENTS
    lines = [",".join(map(str, order[i:i + share])) for i in range(0, SAMPLES, share)]
    (folder / "parts.txt").write_text("\n".join(lines) + "\n")
    subprocess.run([python, "-c", PREPARE, str(folder), str(data)], check=True)
    values = {"IMAGES": "part-images-idx3-ubyte.gz", "MODEL": "model.pt", "PARTS": "parts.txt"}
    yaml = YAML
    for key, name in values.items():
        yaml = yaml.replace(key, str(folder / name))
    (folder / "compare.yaml").write_text(yaml)


def lockstep(folder, data, rounds):
    settings = {"federation.rounds": rounds, "federation.evaluate_every": rounds}
    metrics, _, right = federated.federate(folder / "compare.yaml", settings, 2,
                                           lambda run: federated.test_accuracy(run, data))
    return [line["seconds"] for line in metrics], right


def flower(folder, python, rounds):
    environment = {**os.environ, "FLWR_TELEMETRY_ENABLED": "0", "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    script = str(ROOT / "benchmarks/peers/federated_flower.py")
    result = subprocess.run([python, script, str(folder), str(rounds)], env=environment, text=True, capture_output=True)
    if result.returncode != 0:
        sys.exit(result.stdout[-2000:] + result.stderr[-4000:])
    found = json.loads((folder / "flower.json").read_text())
    return found["seconds"], found["accuracy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=6)
    arguments = parser.parse_args()
    rates = {"Lockstep": [], "Flower": []}
    right = {"Lockstep": [], "Flower": []}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(folder, arguments.data, arguments.python)
        for _ in range(arguments.runs):
            for who in rates:
                seconds, accuracy = (lockstep(folder, arguments.data, arguments.rounds) if who == "Lockstep"
                                     else flower(folder, arguments.python, arguments.rounds))
                rates[who].append((arguments.rounds - 1) / sum(seconds[1:]))
                right[who].append(accuracy)
                print(f"{who}: {rates[who][-1]:.3f} rounds/s, accuracy {accuracy:.4f}", file=sys.stderr, flush=True)
    ratios = [ours / theirs for ours, theirs in zip(rates["Lockstep"], rates["Flower"])]
    print("| | rounds a second, median (least – most) | accuracy after the last round |\n|---|---|---|")
    for who, found in rates.items():
        print(f"| {who} | {statistics.median(found):.3f} ({min(found):.3f} – {max(found):.3f}) |"
              f" {min(right[who]):.4f} – {max(right[who]):.4f} |")
    print(f"\nLockstep ÷ Flower: {statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f}), {len(ratios)} pairs.")


if __name__ == "__main__":
    main()
