#!/usr/bin/env python3
"""A training step between hosts, next to its computation alone and its communication alone.

    sudo python3 hpc/netlab/training.py [--rounds 3] [--batches 64,256,1024] [--link "--rate 1gbit"]

An MLP of 22 million parameters (benchmarks/peers/large-mlp-step.yaml) on two hosts, one rank each, pinned to a core. In
turns: each rank by itself at the same time, on its own share of the batch (computation); an all-reduce of the gradients
(communication); the training step of both. No step can be shorter than the longer of the first two. Batches are samples a
rank.
"""
import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NETLAB = str(HERE / "netlab")
BENCHMARK = ROOT / "build/release/bin/tcp_all_reduce_benchmark"
CONFIG = ROOT / "benchmarks/peers/large-mlp-step.yaml"
GRADIENT_BYTES = 4 * (1024 * 3072 + 2 * 3072 * 3072 + 3072 + 3 * 3072 + 1)
HOSTS = 2
EPOCHS = 4
STEPS_AN_EPOCH = 3
LIMIT_SECONDS = 600


def training_command(batch):
    """A rank of MlpStep, pinned to the core of its number; without WORLD_SIZE it trains alone."""
    train = STEPS_AN_EPOCH * batch
    samples = max(train + 2, round(train / 0.99))
    jars = [str(ROOT / "benchmarks/target/classes"), *map(str, ROOT.glob("java/*/target/classes")),
            str(ROOT / "java/cli/target/lib/*")]
    return ["java", "-XX:+UseSerialGC", "-cp", ":".join(jars), "dev.lockstep.benchmarks.MlpStep", str(CONFIG),
               str(EPOCHS), f"training.batch_size={batch}", f"data.synthetic.samples={samples}",
               f"data.validation_fraction={(samples - train) / samples!r}"]


def environment():
    own = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    own.pop("OPENBLAS_CORETYPE", None)
    return own


def output_of(command):
    done = subprocess.run(command, env=environment(), text=True, capture_output=True, timeout=LIMIT_SECONDS)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def on_ranks(lab, command):
    return output_of([NETLAB, "run", lab, "--timeout", str(LIMIT_SECONDS), *command])


def milliseconds_of(output):
    """The mean over the ranks that report."""
    reports = [json.loads(line[4:]) for line in output.splitlines() if line[4:5] == "{"]
    return statistics.mean(report["milliseconds"] for report in reports)


def pinned(command, alone=False):
    unset = "unset WORLD_SIZE RANK LOCAL_RANK LOCAL_WORLD_SIZE; " if alone else ""
    return ["sh", "-c", f'core=$RANK; {unset}exec taskset -c "$core" "$@"', "sh", *command]


def communication(lab):
    lines = on_ranks(lab, pinned([str(BENCHMARK), "--sizes", str(GRADIENT_BYTES), "--json", "-"]))
    text = "\n".join(line[4:] for line in lines.splitlines() if line.startswith("[0] "))
    return json.loads(text[text.index("["):])[0]["microseconds"]["median"] / 1e3


def span(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} – {max(values):{form}})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", default="64,256,1024")
    parser.add_argument("--link", default="--rate 1gbit", help="link options of netlab up")
    parser.add_argument("--lab", default="training")
    options = parser.parse_args()
    batches = [int(text) for text in options.batches.split(",")]
    output_of([NETLAB, "up", options.lab, str(HOSTS), *shlex.split(options.link)])
    rounds = []
    try:
        for _ in range(options.rounds):
            reduced = communication(options.lab)
            for batch in batches:
                computed = milliseconds_of(on_ranks(options.lab, pinned(training_command(batch), alone=True)))
                step = milliseconds_of(on_ranks(options.lab, pinned(training_command(HOSTS * batch))))
                rounds.append((batch, computed, reduced, step))
                print(f"batch {batch}: {computed:.0f} ms, {reduced:.0f} ms, together {step:.0f} ms", file=sys.stderr)
    finally:
        output_of([NETLAB, "down", options.lab])
    print("| samples a rank | computation, ms | communication, ms | step, ms | step ÷ the longer |\n|---|---|---|---|---|")
    for batch in batches:
        own = [row[1:] for row in rounds if row[0] == batch]
        columns = [span([row[column] for row in own], ".0f") for column in range(3)]
        print(f"| {batch} | {' | '.join(columns)} | {span([row[2] / max(row[:2]) for row in own], '.3f')} |")


if __name__ == "__main__":
    main()
