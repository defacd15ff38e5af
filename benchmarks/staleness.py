#!/usr/bin/env python3
"""Steps a second of workers that stall now and then, by how far they may be ahead of each other.

    python3 benchmarks/staleness.py [--ranks 4] [--rounds 3] [--unit 4]

After each step a rank sleeps for a unit of time (milliseconds), with probability 0.1 for ten; seeds are those of the rounds.
Steps a unit and rank beside those of a simulation without communication (4 ranks: 0.244, 0.388, 0.440, and 0.526 for
who never waits). Sleeping needs no processor, so that more ranks than cores do no harm. Build first: `mvn package -DskipTests`.
"""
import argparse
import os
import pathlib
import socket
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks/peers"))

import ranks as launch  # noqa: E402
SETTINGS = {
    "synchronous": ["strategy.synchronization=synchronous"],
    "bounded, staleness 4": ["strategy.synchronization=bounded", "strategy.staleness=4"],
    "bounded, staleness 8": ["strategy.synchronization=bounded", "strategy.staleness=8"],
    "asynchronous": ["strategy.synchronization=asynchronous"],
}
AIMS = {"bounded, staleness 4": 1.5, "bounded, staleness 8": 1.7}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def rate(options, settings, seed):
    own = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MASTER_ADDR="127.0.0.1",
               MASTER_PORT=str(free_port()), WORLD_SIZE=str(options.ranks), LOCKSTEP_TOKEN="staleness")
    command = ["java", "-XX:+UseSerialGC", "-cp", launch.class_path(ROOT), "dev.lockstep.benchmarks.StalledStep",
               str(ROOT / "benchmarks/staleness.yaml"), str(options.unit), str(seed), "communicator.backend=tcp", *settings]
    ranks = [subprocess.Popen(command, env=dict(own, RANK=str(rank)), text=True, stdout=subprocess.PIPE)
             for rank in range(options.ranks)]
    outputs = [rank.communicate(timeout=600)[0] for rank in ranks]
    if any(rank.returncode for rank in ranks):
        sys.exit(f"ranks ended with {[rank.returncode for rank in ranks]}")
    return float(outputs[0].split()[-1])


def span(values):
    return f"{statistics.median(values):.3f} ({min(values):.3f} – {max(values):.3f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--unit", type=float, default=4, help="milliseconds")
    options = parser.parse_args()
    rates = {name: [] for name in SETTINGS}
    for seed in range(1, options.rounds + 1):
        for name, settings in SETTINGS.items():
            rates[name].append(rate(options, settings, seed))
            print(f"seed {seed}, {name}: {rates[name][-1]:.3f}", file=sys.stderr, flush=True)
    print("| | steps a unit and rank | ÷ synchronous | aim |\n|---|---|---|---|")
    for name, own in rates.items():
        ratio = span([a / b for a, b in zip(own, rates["synchronous"])])
        print(f"| {name} | {span(own)} | {ratio} | {f'≥ {AIMS[name]}' if name in AIMS else ''} |")


if __name__ == "__main__":
    main()
