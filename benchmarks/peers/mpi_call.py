#!/usr/bin/env python3
"""An 8-byte MPI_Allreduce from Java (dev.lockstep.mpi) against C, two pinned ranks, in turns.

    python3 benchmarks/peers/mpi_call.py [--rounds 7]

Prints Markdown: nanoseconds a call, and Java's share more than C's, round by round.
"""
import argparse
import os
import pathlib
import statistics
import tempfile

import ranks as launch
from sweep import ROOT, build_program

CLASS_PATH = launch.class_path(ROOT)
JAVA = os.path.join(os.environ["JAVA_HOME"], "bin/java") if os.environ.get("JAVA_HOME") else "java"


def text(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} – {max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", default="1000000")
    arguments = parser.parse_args()
    java = [JAVA, "-XX:+UseSerialGC", "-cp", CLASS_PATH, "dev.lockstep.benchmarks.MpiCall", arguments.calls]
    print("| | C, ns | Java, ns | Java ÷ C |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for title, library in (("Open MPI", "openmpi"), ("MPICH", "mpich")):
            program = build_program(library, ROOT / "benchmarks/peers/mpi_call.c", pathlib.Path(folder) / f"call_{library}")
            if program is None:
                continue
            rounds = [[float(launch.by_mpirun(library, command, 2)) for command in ([str(program), arguments.calls], java)]
                      for _ in range(arguments.rounds)]
            ratios = [own / peer for peer, own in rounds]
            print(f"| {title} | {text([c for c, _ in rounds], 0)} | {text([j for _, j in rounds], 0)} | {text(ratios, 2)} |")


if __name__ == "__main__":
    main()
