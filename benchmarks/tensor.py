#!/usr/bin/env python3
"""A training step of two ranks that compute the layers of a model together, next to one rank.

    python3 benchmarks/tensor.py [--rounds 5] [--epochs 6]

784-2048-2048-10 with Adam at batch 256 (tensor.yaml), rank r pinned to core r, through shared memory; two data-parallel ranks
beside them. Contestants take turns; ratios are taken round by round. Peak memory is each process's largest resident set, less
that of the same process with hidden layers of 8. Needs `mvn -q package -DskipTests`.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading

import pipeline

CONFIG = pathlib.Path(__file__).resolve().parent / "tensor.yaml"
AIM = 1.5
CONTESTANTS = {
    "one rank": (1, []),
    "two data-parallel ranks": (2, []),
    "two slices": (2, ["mesh.tensor=2"]),
}


def run(ranks, epochs, overrides):
    """Milliseconds of the median step as rank 0 sees it, and the largest resident set of each rank in MiB."""
    line = pipeline.command(epochs, overrides, CONFIG)
    port = pipeline.free_port()
    processes = []
    for rank in range(ranks):
        own = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", RANK=str(rank), WORLD_SIZE=str(ranks),
                   LOCAL_RANK=str(rank), LOCAL_WORLD_SIZE=str(ranks), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        own.pop("OPENBLAS_CORETYPE", None)
        processes.append(subprocess.Popen(["taskset", "-c", str(rank), *line], env=own, text=True,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    limit = threading.Timer(pipeline.LIMIT_SECONDS, lambda: [process.kill() for process in processes])
    limit.start()
    outputs = [process.stdout.read() for process in processes]
    memory = []
    for process, output in zip(processes, outputs):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(line)} ended with {process.returncode}: {output[-2000:]}")
        memory.append(usage.ru_maxrss / 1024)
    limit.cancel()
    reports = [text for text in outputs[0].splitlines() if text.startswith("{")]
    return json.loads(reports[-1])["milliseconds"], memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=6, help="measured, of four steps each")
    options = parser.parse_args()
    times = {name: [] for name in CONTESTANTS}
    memory = {}
    for _ in range(options.rounds):
        for name, (ranks, overrides) in CONTESTANTS.items():
            milliseconds, memory[name] = run(ranks, options.epochs, overrides)
            times[name].append(milliseconds)
        print(", ".join(f"{name} {values[-1]:.1f} ms" for name, values in times.items()), file=sys.stderr)
    print(f"The aim is {AIM}.\n\n| | step, ms | times one rank | peak memory of each rank above a small model's, MiB |")
    print("|---|---|---|---|")
    for name, (ranks, overrides) in CONTESTANTS.items():
        _, small = run(ranks, 1, [*overrides, "model.hidden=[8, 8]"])
        above = ", ".join(f"{of - less:.0f}" for of, less in zip(memory[name], small))
        ratios = [alone / own for alone, own in zip(times["one rank"], times[name])]
        print(f"| {name} | {pipeline.span(times[name], '.1f')} | {statistics.median(ratios):.2f} | {above} |")


if __name__ == "__main__":
    main()
