#!/usr/bin/env python3
"""Memory of a rank with optimiser state, gradients and parameters in slices, beside what it should be.

    python3 benchmarks/sharding.py [--ranks 2 4] [--rounds 1]

The peak of each rank's resident memory, less that of the same program with a network of 1,000 parameters, largest rank, in MB.
Adam in float32 needs 16 bytes a parameter: 4 of values, 4 of gradients, 8 of moments; of these sharding: 1 has the moments in
slices (and a slice in which it sends), sharding: 2 the gradients, too, and at most five buckets, sharding: 3 the values, too, and those of two
layers, with gradients of three. Memory is counted, so load does
no harm. Build first: `mvn package -DskipTests`.
"""
import argparse
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks/peers"))

import ranks as launch  # noqa: E402

PARAMETERS = 1024 * (1024 + 1) * 21 + 1024 + 1
BUCKET = 1024 * (1024 + 1) * 4
SMALL = "model.hidden=[1]"


def formula(sharding, ranks):
    """Bytes of a rank."""
    # Under sharding: 3 the whole model is there at the beginning and at the end.
    return {0: 16 * PARAMETERS, 1: (8 + 12 / ranks) * PARAMETERS, 2: (4 + 12 / ranks) * PARAMETERS + 5 * BUCKET,
            3: max(16 / ranks * PARAMETERS + 5 * BUCKET, (4 + 4 / ranks) * PARAMETERS)}[sharding]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def peak(pid):
    """The most resident memory that a process has had, in bytes; 0 once it has ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def start(ranks, settings):
    # Blocks of 256 KiB and more are mapped and given back one by one: the heap of malloc would keep what was freed. That of Java is
    # as large in all runs.
    own = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MALLOC_MMAP_THRESHOLD_="262144",
               MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free_port()), WORLD_SIZE=str(ranks), LOCKSTEP_TOKEN="sharding")
    command = ["java", "-XX:+UseSerialGC", "-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", "-cp", launch.class_path(ROOT),
               "dev.lockstep.benchmarks.StalledStep", str(ROOT / "benchmarks/sharding.yaml"), "0.001", "1", "communicator.backend=tcp", *settings]
    return [subprocess.Popen(command, env=dict(own, RANK=str(rank)), stdout=subprocess.DEVNULL) for rank in range(ranks)]


def largest(ranks, *settings):
    processes = start(ranks, settings)
    peaks = [0] * ranks
    while any(process.poll() is None for process in processes):
        peaks = [max(before, peak(process.pid)) for before, process in zip(peaks, processes)]
        time.sleep(0.02)
    if any(process.returncode for process in processes):
        sys.exit(f"ranks ended with {[process.returncode for process in processes]}")
    return max(peaks)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    print("| ranks | sharding | a rank's memory, MB | formula, MB | ratio |\n|---|---|---|---|---|")
    for ranks in options.ranks:
        for sharding in 0, 1, 2, 3:
            setting = f"strategy.sharding={sharding}"
            own = [largest(ranks, setting) - largest(ranks, setting, SMALL) for _ in range(options.rounds)]
            expected = formula(sharding, ranks)
            found = statistics.median(own)
            print(f"| {ranks} | {sharding} | {found / 1e6:.0f} | {expected / 1e6:.0f} | {found / expected:.2f} |", flush=True)


if __name__ == "__main__":
    main()
