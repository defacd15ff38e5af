#!/usr/bin/env python3
"""A training step of a pipeline of two ranks, next to the same step of one rank that accumulates.

    python3 benchmarks/pipeline.py [--rounds 5] [--pieces 8] [--epochs 6]

Eight linear maps of 1024 x 1024 with a batch of 1024 in 8 pieces (pipeline.yaml), rank r pinned to core r. The order of
passes lets two ranks be at most 2 * pieces / (pieces + 1) times as fast as one, 1.78 for 8. Contestants take turns; ratios
are taken round by round. Needs `mvn -q package -DskipTests`.
"""
import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONFIG = ROOT / "benchmarks/pipeline.yaml"
LIMIT_SECONDS = 300
RANKS = 2
AIM = 1.6


def command(epochs, overrides, config=CONFIG):
    jars = [str(ROOT / "benchmarks/target/classes"), *map(str, ROOT.glob("java/*/target/classes")),
            str(ROOT / "java/cli/target/lib/*")]
    return ["java", "-XX:+UseSerialGC", "-cp", ":".join(jars), "dev.lockstep.benchmarks.MlpStep", str(config),
            str(epochs), *overrides]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def milliseconds(ranks, line):
    """Of the median step, as rank 0 sees it."""
    port = free_port()
    processes = []
    for rank in range(ranks):
        own = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", RANK=str(rank), WORLD_SIZE=str(ranks),
                   LOCAL_RANK=str(rank), LOCAL_WORLD_SIZE=str(ranks), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        own.pop("OPENBLAS_CORETYPE", None)
        processes.append(subprocess.Popen(["taskset", "-c", str(rank), *line], env=own, text=True,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    outputs = [process.communicate(timeout=LIMIT_SECONDS) for process in processes]
    for process, (out, err) in zip(processes, outputs):
        if process.returncode != 0:
            sys.exit(f"{' '.join(line)} ended with {process.returncode}: {(out + err)[-2000:]}")
    reports = [text for text in outputs[0][0].splitlines() if text.startswith("{")]
    return json.loads(reports[-1])["milliseconds"]


def span(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} – {max(values):{form}})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pieces", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=6, help="measured, of two steps each")
    options = parser.parse_args()
    one = command(options.epochs, [f"training.accumulation_steps={options.pieces}"])
    schedules = ["gpipe", "one_f_one_b", "interleaved"]
    times = {name: [] for name in ["one rank", *schedules]}
    for _ in range(options.rounds):
        times["one rank"].append(milliseconds(1, one))
        for schedule in schedules:
            cut = [f"mesh.pipeline={RANKS}", f"strategy.pipeline.micro_batches={options.pieces}",
                   f"strategy.pipeline.schedule={schedule}"]
            times[schedule].append(milliseconds(RANKS, command(options.epochs, cut)))
        print(", ".join(f"{name} {values[-1]:.1f} ms" for name, values in times.items()), file=sys.stderr)
    limit = RANKS * options.pieces / (options.pieces + RANKS - 1)
    print(f"The limit of gpipe and one_f_one_b is {limit:.2f}; the aim is {AIM}.\n")
    print("| | step, ms | times one rank |\n|---|---|---|")
    for name, values in times.items():
        ratios = [alone / own for alone, own in zip(times["one rank"], values)]
        print(f"| {name} | {span(values, '.1f')} | {span(ratios, '.2f')} |")


if __name__ == "__main__":
    main()
