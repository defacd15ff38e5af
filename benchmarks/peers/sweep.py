#!/usr/bin/env python3
"""Side by side: collectives of Lockstep, Open MPI, MPICH and Gloo over sizes, in one run, on pinned ranks.

    python3 benchmarks/peers/sweep.py [--ranks 2] [--rounds 5] [--operation allreduce] [--output build/sweep]

The contestants take turns; each size's figure is the median over the rounds, each ratio (the peer's time ÷ ours) is taken
round by round. Where an MPI library is faster in place than out of place, or the other way round, the faster form counts.
Prints Markdown for benchmarks/RESULTS.md and writes results.json (the form of `lockstep bench --json`, medians of the
rounds), rounds.json and curves.png. Contestants that this machine does not have are left out, with the reason.
With more ranks than cores (`--ranks 4` on two) Open MPI runs with --oversubscribe and its yield setting.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import tempfile
import time

import ranks as launch

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT / "benchmarks/peers"
SIZES = "8,4096,65536,262144,1048576,4194304,16777216,134217728"
KIB, MIB = 1 << 10, 1 << 20
IN_PLACE = ("allreduce", "broadcast")


def aim_of(own, peer, size, ranks):
    """The least ratio that issue 3 asks of an all-reduce, or None."""
    if peer.startswith("Gloo"):
        return 4.0
    if peer != "Open MPI":
        return None
    if ranks > len(launch.CORES):
        return 1.0
    registered = own.endswith("registered")
    if size == 8:
        return 1 / 1.1
    if size == 4 * KIB:
        return 4.0 if registered else 2.0
    if 64 * KIB <= size <= 16 * MIB:
        return 4.5 if registered else 1.6 if 256 * KIB <= size <= MIB else 1.3
    if size == 128 * MIB:
        return 7.0 if registered else 2.4
    return None


def lockstep(arguments, *more):
    def run():
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "results.json"
            command = [str(ROOT / "hpc/lockstep"), "bench", arguments.operation, "--sizes", arguments.sizes,
                       "--json", str(file), *more]
            launch.by_environment(command, arguments.ranks, arguments.limit)
            return json.loads(file.read_text())
    return run


def mpi(arguments, library, program):
    forms = ("0", "1") if arguments.operation == "allreduce" else ("0",)

    def run():
        results = []
        for in_place in forms:
            command = [str(program), library, arguments.operation, in_place, arguments.sizes]
            results.append(json.loads(launch.by_mpirun(library, command, arguments.ranks, arguments.limit)))
        return [min(both, key=lambda row: row["microseconds"]["median"]) for both in zip(*results)]
    return run


def gloo_pytorch(arguments):
    command = [arguments.python, str(PEERS / "collectives_torch.py"), arguments.operation, arguments.sizes]
    return lambda: json.loads(launch.by_environment(command, arguments.ranks, arguments.limit))


def build_program(library, source, program):
    """Compiles a C program with the wrapper of `openmpi` or `mpich`; None where that MPI is not installed."""
    compiler = shutil.which(f"mpicc.{library}")
    if compiler is None or shutil.which(f"mpirun.{library}") is None:
        return None
    subprocess.run([compiler, "-O3", "-march=native", "-o", str(program), str(source)], check=True)
    return program


def has_torch(python):
    return subprocess.run([python, "-c", "import torch.distributed"], stderr=subprocess.DEVNULL,
                          env=launch.environment()).returncode == 0


def contestants(arguments, folder):
    """By name; ours come first and are called Lockstep…"""
    in_place = ["--in-place"] if arguments.operation == "allreduce" else []
    backend = ["--backend", arguments.backend] if arguments.backend else []
    all_of_them = {"Lockstep, plain": lockstep(arguments, *backend),
                   "Lockstep, registered": lockstep(arguments, "--registered", *in_place, *backend)}
    for title, library in (("Open MPI", "openmpi"), ("MPICH", "mpich")):
        program = build_program(library, PEERS / "collectives_mpi.c", folder / f"collectives_{library}")
        if program is None:
            print(f"Left out: {title}, because mpicc.{library} or mpirun.{library} is not installed.\n")
        else:
            all_of_them[title] = mpi(arguments, library, program)
    if arguments.operation in ("reducescatter", "alltoall"):
        print(f"Left out: Gloo through PyTorch, because it has no {arguments.operation} for CPU tensors.\n")
    elif has_torch(arguments.python):
        all_of_them["Gloo (PyTorch)"] = gloo_pytorch(arguments)
    else:
        print(f"Left out: Gloo through PyTorch, because {arguments.python} has no torch.distributed.\n")
    all_of_them["Gloo (presets)"] = lockstep(arguments, "--backend", "gloo", *in_place)
    return {name: run for name, run in all_of_them.items() if not arguments.only or name in arguments.only}


def measure(arguments, runs):
    """Rounds of each contestant: lists of result rows."""
    rounds = {name: [] for name in runs}
    for _ in range(arguments.rounds):
        for name, run in runs.items():
            if name not in rounds:
                continue
            try:
                rows = run()
            except launch.Failed as failure:
                print(f"Left out: {name}, because {failure}\n")
                del rounds[name]
                continue
            wrong = sum(row["errors"] for row in rows)
            if wrong:
                raise SystemExit(f"{name} gave {wrong} wrong elements.")
            rounds[name].append(rows)
    return rounds


def median_rows(name, rounds):
    """One row for each size, in the form of `lockstep bench --json`; the backend carries the contestant's name."""
    rows = []
    for same in zip(*rounds):
        row = dict(same[0], backend=name.lower().replace(", ", "-").replace(" ", "-"))
        row["microseconds"] = {key: statistics.median(r["microseconds"][key] for r in same)
                               for key in ("min", "median", "max")}
        for key in ("algbw", "busbw"):
            row[key] = statistics.median(r[key] for r in same)
        rows.append(row)
    return rows


def size_text(size):
    for unit, text in ((MIB, "MiB"), (KIB, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {text}"
    return f"{size} B"


def print_times(rounds):
    print("| bytes | " + " | ".join(f"{name}, µs" for name in rounds) + " |")
    print("|---" * (len(rounds) + 1) + "|")
    for i, row in enumerate(next(iter(rounds.values()))[0]):
        cells = [f"{statistics.median(r[i]['microseconds']['median'] for r in runs):.2f}" for runs in rounds.values()]
        print(f"| {size_text(row['bytes'])} | " + " | ".join(cells) + " |")


def print_ratios(arguments, rounds):
    peers = [name for name in rounds if not name.startswith("Lockstep")]
    for own in (name for name in rounds if name.startswith("Lockstep")):
        print(f"\nPeer ÷ {own}: median (min – max) over {arguments.rounds} rounds, aim\n")
        print("| bytes | " + " | ".join(peers) + " |\n" + "|---" * (len(peers) + 1) + "|")
        for i, row in enumerate(rounds[own][0]):
            cells = []
            for peer in peers:
                ratios = [theirs[i]["microseconds"]["median"] / ours[i]["microseconds"]["median"]
                          for ours, theirs in zip(rounds[own], rounds[peer])]
                median = statistics.median(ratios)
                aim = aim_of(own, peer, row["bytes"], arguments.ranks) if arguments.operation == "allreduce" else None
                verdict = "" if aim is None else f"; ≥ {aim:.2g}" + ("" if median >= aim else " **missed**")
                cells.append(f"{median:.2f} ({min(ratios):.2f} – {max(ratios):.2f}){verdict}")
            print(f"| {size_text(row['bytes'])} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operation", default="allreduce")
    parser.add_argument("--sizes", default=SIZES, help="bytes, separated by commas (default: %(default)s)")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--backend", help="Lockstep's backend (default: its own choice)")
    parser.add_argument("--only", action="append", help="a contestant's name; may be repeated")
    parser.add_argument("--python", default="/usr/bin/python3", help="a Python with PyTorch")
    parser.add_argument("--limit", type=int, default=300, help="seconds for one contestant's turn")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build/sweep", help="folder for files")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("LOCKSTEP_JVM_FLAGS", "-XX:+UseSerialGC")

    with tempfile.TemporaryDirectory() as folder:
        rounds = measure(arguments, contestants(arguments, pathlib.Path(folder)))
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {len(launch.CORES)} cores, {arguments.operation} of f32, "
          f"{arguments.ranks} ranks, {arguments.rounds} rounds\n")
    print_times(rounds)
    print_ratios(arguments, rounds)
    rows = [row for name, runs in rounds.items() for row in median_rows(name, runs)]
    (arguments.output / "rounds.json").write_text(json.dumps(rounds))
    results = arguments.output / "results.json"
    results.write_text(json.dumps(rows, indent=1))
    curves = arguments.output / "curves.png"
    subprocess.run([str(ROOT / "hpc/lockstep"), "bench", "plot", str(results), "--output", str(curves)], check=True)


if __name__ == "__main__":
    main()
