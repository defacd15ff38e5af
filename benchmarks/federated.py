#!/usr/bin/env python3
"""Federated training: accuracy beside published figures, memory of many clients, FedBuff's rounds beside waiting for all.

    python3 benchmarks/federated.py accuracy --data train-images-idx3-ubyte.gz [--rounds 40] [--seeds 1,2,3] [--only iid/fedavg,…]
    python3 benchmarks/federated.py memory
    python3 benchmarks/federated.py fedbuff [--seeds 1,2,3,4,5]

The published figures are means and standard deviations over 15 seeds by github.com/samuele-lolli/
Aggregation-Federated-Learning-Analysis (Flower; 10 clients, 40 rounds, one local epoch, batches of 32, SGD 0.01 with momentum
0.9). Theirs has random crops and flips of the training images, which are not made here.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOCKSTEP = str(ROOT / "hpc/lockstep")
PARTITIONS = {"iid": "{type: iid}", "0.5": "{type: dirichlet, alpha: 0.5}", "0.1": "{type: dirichlet, alpha: 0.1}",
              "0.03": "{type: dirichlet, alpha: 0.03}"}
ADAPTIVE = "learning_rate: 0.01, beta1: 0.7, beta2: 0.99, tau: 1.0e-3"
ALGORITHMS = {
    "fedavg": {"server_optimizer": "{type: average}"},
    "fedprox": {"server_optimizer": "{type: average}", "algorithm": "fedprox"},
    "fedavgm": {"server_optimizer": "{type: momentum, beta1: 0.7}"},
    "fedadam": {"server_optimizer": "{type: adam, " + ADAPTIVE + "}"},
    "fedyogi": {"server_optimizer": "{type: yogi, " + ADAPTIVE + "}"},
}
NOISE = {"server_optimizer": "{type: average}", "attack": "{type: noise, clients: 1, scale: 0.5}"}
for rule in ("mean", "median", "trimmed_mean", "multi_krum"):
    ALGORITHMS["noise-" + rule] = {**NOISE, "aggregation": "{rule: " + rule + ", faulty: 1}"}
PUBLISHED = {
    "iid": {"fedavg": (.868, .004), "fedprox": (.864, .004), "fedavgm": (.879, .004), "fedadam": (.880, .003),
            "fedyogi": (.878, .002), "noise-mean": (.663, .025), "noise-median": (.867, None),
            "noise-trimmed_mean": (.865, None), "noise-multi_krum": (.869, None)},
    "0.5": {"fedavg": (.860, .005), "fedprox": (.859, .005), "fedavgm": (.870, .006), "fedadam": (.868, .004),
            "fedyogi": (.871, .003), "noise-mean": (.608, None), "noise-median": (.842, None),
            "noise-trimmed_mean": (.851, None), "noise-multi_krum": (.856, None)},
    "0.1": {"fedavg": (.815, .032), "fedprox": (.813, .029), "fedavgm": (.837, .015), "fedadam": (.830, .017),
            "fedyogi": (.838, .018), "noise-mean": (.520, None), "noise-median": (.695, None),
            "noise-trimmed_mean": (.762, None), "noise-multi_krum": (.788, None)},
    "0.03": {"fedavg": (.740, .067), "fedprox": (.767, .053), "fedavgm": (.804, .032), "fedadam": (.777, .059),
             "fedyogi": (.800, .026)},
}
SYNTHETIC = """
name: federated
data:
  synthetic: {samples: SAMPLES, features: 4, targets: 2, noise: 0.1}
  features: [x0, x1, x2, x3]
  targets: [y0, y1]
model: {type: mlp, hidden: [128, 128]}
optimizer: {type: sgd, learning_rate: 0.05}
"""


def federate(config, settings, ranks=1):
    """@return folder of the run, as read into memory: summary.json, the lines of metrics.jsonl; peak resident KiB of a rank"""
    with tempfile.TemporaryDirectory() as folder:
        words = ["federate", str(config), "--set", f"output.folder={folder}", "--set", "output.progress=none"]
        for key, value in settings.items():
            words += ["--set", f"{key}={value}"]
        command = [LOCKSTEP, *words] if ranks == 1 else [LOCKSTEP, "launch", "-n", str(ranks), "--", *words]
        process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"{' '.join(command)} ended with {status}: {output[-2000:]}")
        run = next(pathlib.Path(folder).iterdir())
        summary = json.loads((run / "summary.json").read_text())
        metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        return summary, metrics, usage.ru_maxrss


def accuracy(arguments):
    print("| partition | algorithm | accuracy, mean ± sd | published | difference in published sd |\n|---|---|---|---|---|")
    for partition, text in PARTITIONS.items():
        for algorithm, keys in ALGORITHMS.items():
            if algorithm not in PUBLISHED[partition]:
                continue
            if arguments.only and f"{partition}/{algorithm}" not in arguments.only.split(","):
                continue
            found = []
            for seed in arguments.seeds.split(","):
                settings = {f"federation.{key}": value for key, value in keys.items()}
                # The published clients train on four fifths of what they have.
                settings.update({"seed": seed, "data.path": arguments.data, "data.validation_fraction": "0.2",
                                 "federation.partition": text, "federation.rounds": arguments.rounds,
                                 "federation.evaluate_every": arguments.rounds})
                _, metrics, _ = federate(ROOT / "examples/federated-fashion-mnist.yaml", settings, arguments.ranks)
                found.append(metrics[-1]["accuracy"])
            mean, deviation = PUBLISHED[partition][algorithm]
            spread = statistics.stdev(found) if len(found) > 1 else float("nan")
            apart = f"{(statistics.mean(found) - mean) / deviation:+.1f}" if deviation else ""
            published = f"{mean:.3f}" + (f" ± {deviation:.3f}" if deviation else "")
            print(f"| {partition} | {algorithm} | {statistics.mean(found):.3f} ± {spread:.3f} | {published} | {apart} |", flush=True)


def synthetic(folder, samples):
    config = pathlib.Path(folder) / "federated.yaml"
    config.write_text(SYNTHETIC.replace("SAMPLES", str(samples)))
    return config


def memory(arguments):
    print("| algorithm | clients | peak resident, MiB | a client more, KiB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        config = synthetic(folder, 20000)
        for algorithm in ("fedavg", "scaffold"):
            peaks = {}
            for clients in (10, 1000):
                settings = {"federation.clients": clients, "federation.fraction": "1", "federation.rounds": "3",
                            "federation.algorithm": algorithm, "federation.evaluate_every": "3"}
                peaks[clients] = min(federate(config, settings)[2] for _ in range(arguments.repeats))
                more = f"{(peaks[1000] - peaks[10]) / 990:.0f}" if clients == 1000 else ""
                print(f"| {algorithm} | {clients} | {peaks[clients] / 1024:.0f} | {more} |", flush=True)


def fedbuff(arguments):
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        config = synthetic(folder, 2000)
        for seed in arguments.seeds.split(","):
            common = {"seed": seed, "federation.clients": "100", "federation.rounds": "50", "federation.evaluate_every": "50",
                      "federation.latency": "{median: 1, spread: 1}"}
            _, waiting, _ = federate(config, {**common, "federation.per_round": "10"})
            _, buffered, _ = federate(config, {**common, "federation.algorithm": "fedbuff",
                                               "federation.asynchronous": "{buffer: 10, concurrency: 10}"})
            ratios.append(waiting[-1]["simulated_seconds"] / buffered[-1]["simulated_seconds"])
    print(f"FedBuff (K = 10, ten at work) makes {statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f}) times the"
          f" rounds a simulated second of waiting for ten, {len(ratios)} seeds, log-normal times of spread 1.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("accuracy", "memory", "fedbuff"))
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz")
    parser.add_argument("--rounds", default="40")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--only")
    chosen = parser.parse_args()
    {"accuracy": accuracy, "memory": memory, "fedbuff": fedbuff}[chosen.what](chosen)
