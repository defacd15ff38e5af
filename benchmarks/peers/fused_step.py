#!/usr/bin/env python3
"""Side by side: gradients summed over the ranks and one step of Adam, on 16 MiB of f32.

    python3 benchmarks/peers/fused_step.py [--ranks 2] [--rounds 5] [--mebibytes 16]

The peer is Open MPI's all-reduce (collectives_mpi.c, the faster of in place and not) followed by libtorch's Adam; each is
measured on its own, on all ranks at once, and the medians are added, so that the peer pays nothing for going from one to
the other. The contestants take turns. Prints Markdown for benchmarks/RESULTS.md.
"""
import argparse
import json
import pathlib
import statistics
import tempfile
import time

import ranks as launch
import sweep

ROOT = pathlib.Path(__file__).resolve().parents[2]
AIM = 4.0


def step(arguments, contestant):
    command = ["java", "-XX:+UseSerialGC", "-cp", launch.class_path(ROOT), "dev.lockstep.benchmarks.FusedStep", contestant,
               str(arguments.mebibytes), "50"]
    output = launch.by_environment(command, arguments.ranks, arguments.limit)
    return json.loads([line for line in output.splitlines() if line.startswith("{")][-1])["microseconds"]["median"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mebibytes", type=int, default=16)
    parser.add_argument("--limit", type=int, default=120, help="seconds for one contestant's turn")
    arguments = parser.parse_args()
    arguments.operation, arguments.sizes = "allreduce", str(arguments.mebibytes << 20)
    times = {"Lockstep": [], "Open MPI all-reduce": [], "libtorch Adam": []}
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "openmpi"
        if not sweep.build_program("openmpi", sweep.PEERS / "collectives_mpi.c", program):
            raise SystemExit("mpicc.openmpi or mpirun.openmpi is not installed.")
        all_reduce = sweep.mpi(arguments, "openmpi", program)
        for _ in range(arguments.rounds):
            times["Lockstep"].append(step(arguments, "lockstep"))
            times["Open MPI all-reduce"].append(all_reduce()[0]["microseconds"]["median"])
            times["libtorch Adam"].append(step(arguments, "libtorch"))

    print(f"{time.strftime('%Y-%m-%d')}, {arguments.ranks} ranks, {arguments.mebibytes} MiB, {arguments.rounds} rounds\n")
    print("| | ms, median | min | max |\n|---|---|---|---|")
    for name, values in times.items():
        print(f"| {name} | {statistics.median(values) / 1e3:.2f} | {min(values) / 1e3:.2f} | {max(values) / 1e3:.2f} |")
    ratios = [(reduce + adam) / own for own, reduce, adam in zip(*times.values())]
    print(f"\n(Open MPI + libtorch) ÷ Lockstep: {statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f}); "
          f"aim ≥ {AIM:g}")


if __name__ == "__main__":
    main()
