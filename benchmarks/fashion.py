#!/usr/bin/env python3
"""Accuracy on Fashion-MNIST of ways of training together, next to data-parallel training with the same seeds.

    python3 benchmarks/fashion.py DATA [--seeds 3] [--epochs 3] [--ranks 2] [--only NAME]... [--model cnn|mlp]

DATA is the folder of the Debian package dataset-fashion-mnist (/usr/share/datasets/fashion-mnist). Ranks have a thread each.
Prints Markdown: the mean accuracy on 10,000 held-out images over the seeds, and its distance from the first row in
percentage points. "no feedback" rows are controls: they have to be worse.
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
CONTESTANTS = {
    "data_parallel": ["fused=false"],
    "int8": ["compression=int8"],
    "one_bit": ["compression=one_bit"],
    "one_bit, no feedback": ["compression={type: one_bit, error_feedback: false}"],
    "top_k 1 %": ["compression={type: top_k, density: 0.01}"],
    "top_k 1 %, no feedback": ["compression={type: top_k, density: 0.01, error_feedback: false}"],
    "power_sgd rank 2": ["compression={type: power_sgd, rank: 2}"],
    "parameter_server synchronous": ["type=parameter_server", "synchronization=synchronous"],
    "parameter_server bounded 4": ["type=parameter_server", "synchronization=bounded", "staleness=4"],
    "parameter_server asynchronous": ["type=parameter_server", "synchronization=asynchronous"],
    "parameter_server asynchronous, rate_by_staleness": ["type=parameter_server", "synchronization=asynchronous",
                                                         "rate_by_staleness=true"],
}
MODELS = {
    "cnn": [],
    "mlp": ["model={type: mlp, hidden: [128]}"],
}


def accuracy(options, name, seed, folder):
    run = f"{name}-{seed}".replace(" ", "-").replace(",", "").replace("%", "percent")
    settings = [f"data.path={options.data}/train-images-idx3-ubyte.gz", f"seed={seed}", "threads=1", f"name={run}",
                f"training.epochs={options.epochs}", f"optimizer={{type: sgd, learning_rate: {options.rate}}}",
                f"output.folder={folder}", "output.plots=false", "output.progress=none", "output.tensorboard=false"]
    settings += MODELS[options.model] + [f"strategy.{setting}" for setting in CONTESTANTS[name]]
    command = [str(ROOT / "hpc/lockstep"), "launch", "-n", str(options.ranks), "--", "train",
               str(ROOT / "examples/fashion-mnist.yaml")]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, env=dict(os.environ, OMP_NUM_THREADS="1"), text=True, capture_output=True, timeout=3600)
    if done.returncode != 0:
        sys.exit(f"{name} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    return json.loads((pathlib.Path(folder) / run / "summary.json").read_text())["accuracy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rate", type=float, default=0.05, help="learning rate of plain SGD")
    parser.add_argument("--model", choices=MODELS, default="cnn")
    parser.add_argument("--only", action="append", choices=CONTESTANTS)
    options = parser.parse_args()
    names = options.only or list(CONTESTANTS)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, options.seeds + 1):
            for name in names:
                results.setdefault(name, []).append(100 * accuracy(options, name, seed, folder))
                print(f"seed {seed}, {name}: {results[name][-1]:.2f} %", file=sys.stderr, flush=True)
    print("| | accuracy, % | spread | against the first, pp |\n|---|---|---|---|")
    for name in names:
        mean = statistics.mean(results[name])
        away = statistics.mean(own - first for own, first in zip(results[name], results[names[0]]))
        print(f"| {name} | {mean:.2f} | {min(results[name]):.2f} – {max(results[name]):.2f} | {away:+.2f} |")


if __name__ == "__main__":
    main()
