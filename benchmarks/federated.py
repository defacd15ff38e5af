#!/usr/bin/env python3
"""Federated training: accuracy beside published figures, memory of many clients, FedBuff's rounds beside waiting for all.

    python3 benchmarks/federated.py accuracy --data FOLDER [--rounds 40] [--seeds 1,2,3] [--only iid/fedavg,0.1]
    python3 benchmarks/federated.py table
    python3 benchmarks/federated.py memory
    python3 benchmarks/federated.py fedbuff [--seeds 1,2,3,4,5]

FOLDER has the four files of Fashion-MNIST (*-ubyte.gz). accuracy writes a line to --results after each run and leaves out
those that are there, so it can be stopped and goes on; table prints what there is, with a verdict.

The published figures are means and standard deviations over 15 seeds by github.com/samuele-lolli/
Aggregation-Federated-Learning-Analysis, with Flower: 10 clients that train on four fifths of their shares of the training
images, all in each of 40 rounds, one local epoch, batches of 32, SGD 0.01 with momentum 0.9, shifts by up to 4 pixels and
mirroring; accuracy on the 10,000 test images after the last round. Settings are those of its run_configuration.py and
run_experiments.py. What differs here: pixels are normalised by their own mean and deviation (theirs: those of MNIST's digits);
FedYogi's v begins as tau squared, not 0; FedAdam's corrected rate counts
rounds from 1 (Flower's from 2); the one noisy client trains before it adds its noise; multi-Krum's mean is not weighted; and rows
with an attack have no published deviation but IID's mean, so that of FedAvg without one is taken.
"""
import argparse
import gzip
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOCKSTEP = shlex.split(os.environ.get("LOCKSTEP", str(ROOT / "hpc/lockstep")))
PARTITIONS = {"iid": "{type: iid}", "0.5": "{type: dirichlet, alpha: 0.5}", "0.1": "{type: dirichlet, alpha: 0.1}",
              "0.03": "{type: dirichlet, alpha: 0.03}"}
AVERAGE = {"server_optimizer": "{type: average}"}
NOISE = {**AVERAGE, "attack": "{type: noise, clients: 1, scale: 0.5}"}
ALGORITHMS = {
    "fedavg": AVERAGE,
    "fedprox": {**AVERAGE, "algorithm": "fedprox", "mu": "0.01"},
    "fedavgm": {"server_optimizer": "{type: momentum, beta1: 0.7}"},
    "fedadam": {"server_optimizer": "{type: adam, learning_rate: 0.1, beta1: 0.7, beta2: 0.99, tau: 1.0e-2, correct_bias: true}"},
    "fedyogi": {"server_optimizer": "{type: yogi, learning_rate: 0.01, beta1: 0.7, beta2: 0.99, tau: 1.0e-3}"},
    "noise-mean": NOISE,
    "noise-median": {**NOISE, "aggregation": "{rule: median}"},
    "noise-trimmed_mean": {**NOISE, "aggregation": "{rule: trimmed_mean, faulty: 1}"},
    "noise-multi_krum": {**NOISE, "aggregation": "{rule: multi_krum, faulty: 1}"},
}
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


def lockstep(words, ranks=1):
    """Runs a command to its end. @return peak resident KiB of the largest of its processes"""
    command = [*LOCKSTEP, *words] if ranks == 1 else [*LOCKSTEP, "launch", "-n", str(ranks), "--", *words]
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} ended with {status}: {output[-2000:]}")
    return usage.ru_maxrss


def federate(config, settings, ranks=1, work=lambda run: None):
    """@return the lines of metrics.jsonl; peak resident KiB of a rank; what work makes of the run's folder"""
    with tempfile.TemporaryDirectory() as folder:
        words = ["federate", str(config), "--set", f"output.folder={folder}", "--set", "output.progress=none"]
        for key, value in settings.items():
            words += ["--set", f"{key}={value}"]
        peak = lockstep(words, ranks)
        run = next(pathlib.Path(folder).iterdir())
        metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        return metrics, peak, work(run)


def test_accuracy(run, data):
    """Of the run's model on the test images, which no client and no round has seen."""
    predicted = run / "predicted.csv"
    lockstep(["predict", str(run / "model.pt"), str(data / "t10k-images-idx3-ubyte.gz"), "--output", str(predicted)])
    with gzip.open(data / "t10k-labels-idx1-ubyte.gz") as file:
        labels = file.read()[8:]
    right = 0
    rows = predicted.read_text().splitlines()[1:]
    for row in rows:
        place, *values = row.split(",")
        scores = [float(value) for value in values]
        right += (scores.index(max(scores)) if len(scores) > 1 else round(scores[0])) == labels[int(float(place))]
    return right / len(rows)


def rows(only):
    """The runs, most telling first: (algorithm, partition)."""
    wanted = only.split(",") if only else None
    for algorithm in ALGORITHMS:
        for partition, published in PUBLISHED.items():
            names = (f"{partition}/{algorithm}", partition, algorithm)
            if algorithm in published and (wanted is None or any(name in wanted for name in names)):
                yield algorithm, partition


def accuracy(arguments):
    data = pathlib.Path(arguments.data)
    results = pathlib.Path(arguments.results)
    done = {(run["partition"], run["algorithm"], run["seed"], run["rounds"]) for run in recorded(results)}
    for seed in arguments.seeds.split(","):
        for algorithm, partition in rows(arguments.only):
            if (partition, algorithm, int(seed), arguments.rounds) in done:
                continue
            settings = {f"federation.{key}": value for key, value in ALGORITHMS[algorithm].items()}
            settings |= {"seed": seed, "data.seed": seed, "data.path": data / "train-images-idx3-ubyte.gz",
                         "data.validation_fraction": "0.2", "federation.augmentation": "{crop: 4, flip: true}",
                         "federation.partition": PARTITIONS[partition], "federation.rounds": arguments.rounds,
                         "federation.evaluate_every": arguments.rounds}
            begin = time.monotonic()
            metrics, _, found = federate(ROOT / "examples/federated-fashion-mnist.yaml", settings, arguments.ranks,
                                         lambda run: test_accuracy(run, data))
            run = {"partition": partition, "algorithm": algorithm, "seed": int(seed), "rounds": arguments.rounds,
                   "accuracy": found, "held_out_accuracy": metrics[-1]["accuracy"],
                   "seconds": round(time.monotonic() - begin, 1), "ranks": arguments.ranks}
            with results.open("a") as file:
                file.write(json.dumps(run) + "\n")
            print(json.dumps(run), flush=True)


def recorded(results):
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def table(arguments):
    runs = recorded(pathlib.Path(arguments.results))
    print("| partition | algorithm | seeds | accuracy, mean ± sd | published | difference | within 2 sd |\n|---|---|---|---|---|---|---|")
    for algorithm, partition in rows(arguments.only):
        found = [run["accuracy"] for run in runs
                 if (run["partition"], run["algorithm"], run["rounds"]) == (partition, algorithm, arguments.rounds)]
        mean, deviation = PUBLISHED[partition][algorithm]
        published = f"{mean:.3f}" + (f" ± {deviation:.3f}" if deviation else "")
        if not found:
            print(f"| {partition} | {algorithm} | 0 | | {published} | | not run |")
            continue
        spread = f" ± {statistics.stdev(found):.3f}" if len(found) > 1 else ""
        apart = statistics.mean(found) - mean
        limit = 2 * (deviation or PUBLISHED[partition]["fedavg"][1])
        verdict = "yes" if abs(apart) <= limit else "no"
        print(f"| {partition} | {algorithm} | {len(found)} | {statistics.mean(found):.4f}{spread} | {published} | {apart:+.4f} |"
              f" {verdict} |")


def synthetic(folder, samples):
    config = pathlib.Path(folder) / "federated.yaml"
    config.write_text(SYNTHETIC.replace("SAMPLES", str(samples)))
    return config


def memory(arguments):
    print("| algorithm | clients | peak resident of a rank, MiB | a client more, all ranks, KiB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        config = synthetic(folder, 20000)
        for algorithm in ("fedavg", "scaffold"):
            peaks = {}
            for clients in (10, 1000):
                settings = {"federation.clients": clients, "federation.fraction": "1", "federation.rounds": "3",
                            "federation.algorithm": algorithm, "federation.evaluate_every": "3"}
                peaks[clients] = min(federate(config, settings, arguments.ranks)[1] for _ in range(arguments.repeats))
                # The largest rank's growth, as if all others had grown as much.
                more = f"{arguments.ranks * (peaks[1000] - peaks[10]) / 990:.0f}" if clients == 1000 else ""
                print(f"| {algorithm} | {clients} | {peaks[clients] / 1024:.0f} | {more} |", flush=True)


def fedbuff(arguments):
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        config = synthetic(folder, 2000)
        for seed in arguments.seeds.split(","):
            common = {"seed": seed, "federation.clients": "100", "federation.rounds": "50", "federation.evaluate_every": "50",
                      "federation.latency": "{median: 1, spread: 1}"}
            waiting, _, _ = federate(config, {**common, "federation.per_round": "10"})
            buffered, _, _ = federate(config, {**common, "federation.algorithm": "fedbuff",
                                               "federation.asynchronous": "{buffer: 10, concurrency: 10}"})
            ratios.append(waiting[-1]["simulated_seconds"] / buffered[-1]["simulated_seconds"])
    print(f"FedBuff (K = 10, ten at work) makes {statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f}) times the"
          f" rounds a simulated second of waiting for ten, {len(ratios)} seeds, log-normal times of spread 1.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("accuracy", "table", "memory", "fedbuff"))
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist", help="folder of Fashion-MNIST's four files")
    parser.add_argument("--results", default="federated-accuracy.jsonl")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--only", help="partitions, algorithms or both, as in iid,0.1/fedavg")
    chosen = parser.parse_args()
    {"accuracy": accuracy, "table": table, "memory": memory, "fedbuff": fedbuff}[chosen.what](chosen)
