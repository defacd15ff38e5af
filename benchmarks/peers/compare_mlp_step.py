#!/usr/bin/env python3
"""Side by side: a training step of Lockstep, eager PyTorch and PyTorch DDP (Gloo), in one run.

    python3 benchmarks/peers/compare_mlp_step.py [--rounds 7] [--python /usr/bin/python3]

Global batch 1000, 64-512-512-1 MLP, SGD, one thread a rank, rank r pinned to core r. The contestants take turns, so that
a noisy neighbour hits all of them; each figure is the median over the rounds, with minimum and maximum. Prints a Markdown
table for benchmarks/RESULTS.md.
"""
import argparse
import json
import os
import pathlib
import platform
import secrets
import socket
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LIMIT_SECONDS = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lockstep_command(steps):
    """Epochs are 50 steps long (mlp-step.yaml)."""
    return ["java", "-XX:+UseSerialGC", "-cp", launch.class_path(ROOT),
            "dev.lockstep.benchmarks.MlpStep", str(ROOT / "benchmarks/peers/mlp-step.yaml"), str(steps // 50)]


def run(command, ranks):
    """Runs one contestant on pinned ranks and returns rank 0's JSON object."""
    # A core type that a machine forces on OpenBLAS slows both sides down and measures neither.
    inherited = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    environment = dict(inherited, **ONE_THREAD, WORLD_SIZE=str(ranks), LOCAL_WORLD_SIZE=str(ranks),
                       MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free_port()), LOCKSTEP_TOKEN=secrets.token_hex(16))
    processes = []
    for rank in range(ranks):
        own = dict(environment, RANK=str(rank), LOCAL_RANK=str(rank))
        if ranks == 1:  # a group of one, not TCP with itself
            for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
                own.pop(name)
        processes.append(subprocess.Popen(["taskset", "-c", str(rank)] + command, env=own, text=True,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    try:
        outputs = [process.communicate(timeout=LIMIT_SECONDS) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (out, err) in zip(processes, outputs):
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{out}{err}")
    return json.loads([line for line in outputs[0][0].splitlines() if line.startswith("{")][-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=200, help="a multiple of 50")
    parser.add_argument("--python", default="/usr/bin/python3", help="a Python with PyTorch")
    arguments = parser.parse_args()

    torch_command = [arguments.python, str(ROOT / "benchmarks/peers/mlp_step_torch.py"),
                     "--steps", str(arguments.steps)]
    own_command = lockstep_command(arguments.steps)
    contestants = {
        "Lockstep, 1 rank": (own_command, 1),
        "PyTorch eager, 1 rank": (torch_command, 1),
        "Lockstep, 2 ranks": (own_command, 2),
        "PyTorch DDP (Gloo), 2 ranks": (torch_command, 2),
    }
    times = {name: [] for name in contestants}
    for _ in range(arguments.rounds):
        for name, (command, ranks) in contestants.items():
            times[name].append(run(command, ranks)["milliseconds"])

    print(f"{time.strftime('%Y-%m-%d')}, {platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
          f"{arguments.rounds} rounds of {arguments.steps} steps\n")
    print("| contestant | ms a step, median | min | max |\n|---|---|---|---|")
    for name, values in times.items():
        print(f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} | {max(values):.2f} |")

    def ratio(slower, faster):
        """Round by round, so that both terms met the same machine."""
        values = [a / b for a, b in zip(times[slower], times[faster])]
        return f"{statistics.median(values):.3f} ({min(values):.3f} – {max(values):.3f})"

    print("\n| ratio | median (min – max) | aim |\n|---|---|---|")
    print(f"| Lockstep 1 rank ÷ PyTorch eager | {ratio('Lockstep, 1 rank', 'PyTorch eager, 1 rank')} | ≤ 1.03 |")
    print(f"| Lockstep 1 rank ÷ 2 ranks | {ratio('Lockstep, 1 rank', 'Lockstep, 2 ranks')} | ≥ 1.92 |")
    print(f"| PyTorch eager ÷ DDP | {ratio('PyTorch eager, 1 rank', 'PyTorch DDP (Gloo), 2 ranks')} | |")
    print(f"| PyTorch DDP ÷ Lockstep 2 ranks | {ratio('PyTorch DDP (Gloo), 2 ranks', 'Lockstep, 2 ranks')} | ≥ 1.45 |")


if __name__ == "__main__":
    main()
