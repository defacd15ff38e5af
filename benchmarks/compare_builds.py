#!/usr/bin/env python3
"""This build against an older one, in one run of at most 15 minutes: the table of benchmarks/RESULTS.md.

    python3 benchmarks/compare_builds.py --base FOLDER [--rounds 5] [--only all-reduce,exchange,step,fused,localize,hosts]

FOLDER is a checkout of the older commit in which `mvn -q package -DskipTests` and `mvn -q -f benchmarks package` have
run, as in this one. Contestants take turns; a ratio is taken round by round and given as median (min – max). A machine
that does other things spoils the times and, less so, the ratios. `hosts` needs root and a two-namespace lab (hpc/netlab).
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks/peers"), str(ROOT / "benchmarks")]

import localization  # noqa: E402
import ranks as launch  # noqa: E402
import sweep  # noqa: E402

LIMIT_SECONDS = 120
LARGEST = "8,4096,65536,1048576,16777216"
NETLAB = str(ROOT / "hpc/netlab/netlab")
HAN = ["mpirun.openmpi", "--allow-run-as-root", "--mca", "plm_rsh_agent", str(ROOT / "hpc/netlab/rsh.sh"),
       "--mca", "btl", "tcp,self,vader", "--mca", "btl_tcp_if_include", "eth0", "--mca", "oob_tcp_if_include", "eth0",
       "--mca", "coll_han_priority", "100"]


def span(values, form=".2f"):
    return f"{statistics.median(values):{form}} ({min(values):{form}} – {max(values):{form}})"


def row(what, ratios, aim, note=""):
    print(f"| {what} | {span(ratios)} | {aim} | {note} |", flush=True)


def turns(rounds, contestants):
    """@return for each name the results of its runs; the first of a round changes, so that none has the best place"""
    results = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        for name in names[number % len(names):] + names[:number % len(names)]:
            results[name].append(contestants[name]())
    return results


def bench(root, operation, sizes, *more):
    """@return microseconds by size"""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "results.json"
        launch.by_environment([str(root / "hpc/lockstep"), "bench", operation, "--sizes", sizes, "--json", str(file),
                               *more], 2, LIMIT_SECONDS)
        rows = json.loads(file.read_text())
    if any(each["errors"] for each in rows):
        sys.exit(f"{root}: wrong elements")
    return {each["bytes"]: each["microseconds"]["median"] for each in rows}


def ratios(results, slower, faster, size):
    return [a[size] / b[size] for a, b in zip(results[slower], results[faster])]


def java(root, main, *arguments):
    return ["java", "-XX:+UseSerialGC", "-cp", launch.class_path(root), f"dev.lockstep.benchmarks.{main}", *arguments]


def last_json(output):
    return json.loads([line for line in output.splitlines() if line.startswith("{")][-1])


def all_reduce(base, rounds):
    contestants = {}
    for name, root in (("base", base), ("own", ROOT)):
        contestants[name] = lambda root=root: bench(root, "allreduce", LARGEST)
        contestants[name + ", registered"] = lambda root=root: bench(root, "allreduce", LARGEST, "--registered",
                                                                      "--in-place")
    with tempfile.TemporaryDirectory() as folder:
        program = sweep.build_program("openmpi", sweep.PEERS / "collectives_mpi.c", pathlib.Path(folder) / "openmpi")
        if program:
            options = argparse.Namespace(operation="allreduce", sizes="8,4096", ranks=2, limit=LIMIT_SECONDS)
            run = sweep.mpi(options, "openmpi", program)
            contestants["Open MPI"] = lambda: {each["bytes"]: each["microseconds"]["median"] for each in run()}
        results = turns(rounds, contestants)
    for form in ("", ", registered"):
        for size in map(int, LARGEST.split(",")):
            row(f"all-reduce{form}, {size} bytes ÷ base", ratios(results, "own" + form, "base" + form, size), "≤ 1.03",
                f"{statistics.median(each[size] for each in results['own' + form]):.2f} µs")
    if program:
        row("8 bytes ÷ Open MPI from C", ratios(results, "own", "Open MPI", 8), "≤ 1.0")
        row("Open MPI ÷ 4 KiB registered", ratios(results, "Open MPI", "own, registered", 4096), "≥ 3")


def exchange(_, rounds):
    results = turns(rounds, {"all-reduce": lambda: bench(ROOT, "allreduce", "8"),
                             "exchange": lambda: bench(ROOT, "exchange", "8,1024")})
    for size in (8, 1024):
        row(f"exchange of {size} bytes ÷ all-reduce of 8",
            [a[size] / b[8] for a, b in zip(results["exchange"], results["all-reduce"])],
            "≤ 1.5" if size == 1024 else "", f"{statistics.median(e[size] for e in results['exchange']):.2f} µs")


def step(base, rounds):
    def run(root, count, *more):
        command = java(root, "MlpStep", str(root / "benchmarks/peers/mlp-step.yaml"), "4", *more)
        return last_json(launch.by_environment(command, count, LIMIT_SECONDS))["milliseconds"]

    def alone():
        """Two groups of one at the same time, each with half the batch and no communication: the slower of them."""
        command = java(ROOT, "MlpStep", str(ROOT / "benchmarks/peers/mlp-step.yaml"), "4", "training.batch_size=500",
                       "data.synthetic.samples=25500")
        processes = [launch.start(["taskset", "-c", str(core), *command], launch.environment())
                     for core in launch.CORES[:2]]
        first = last_json(launch.wait(processes, command, LIMIT_SECONDS))["milliseconds"]
        return first

    results = turns(rounds, {"base, 1": lambda: run(base, 1), "own, 1": lambda: run(ROOT, 1),
                             "base, 2": lambda: run(base, 2), "own, 2": lambda: run(ROOT, 2), "alone": alone})
    pair = lambda slower, faster: [a / b for a, b in zip(results[slower], results[faster])]  # noqa: E731
    row("training step, 1 rank ÷ base", pair("own, 1", "base, 1"), "≤ 1.03")
    row("training step, 2 ranks ÷ base", pair("own, 2", "base, 2"), "≤ 1.03")
    row("half the batch without communication ÷ 2 ranks", pair("alone", "own, 2"), "≥ 0.97")
    row("1 rank ÷ 2 ranks", pair("own, 1", "own, 2"), "≥ 1.92 was aimed at")


def fused(base, rounds):
    def run(root):
        return last_json(launch.by_environment(java(root, "FusedStep", "lockstep", "16", "50"), 2,
                                               LIMIT_SECONDS))["microseconds"]["median"]
    results = turns(rounds, {"base": lambda: run(base), "own": lambda: run(ROOT)})
    row("fused step of Adam, 16 MiB ÷ base", [a / b for a, b in zip(results["own"], results["base"])], "≤ 1.03")


def localize(base, rounds):
    settings = {**localization.generated(1000, 50, 0.12, 1), **localization.PURE, "algorithm.max_iterations": 1000}

    def run(root, count):
        localization.LOCKSTEP = str(root / "hpc/lockstep")
        return localization.splitting(localization.locate(count, settings))

    results = turns(rounds, {f"{name}, {count}": lambda root=root, count=count: run(root, count)
                             for name, root in (("base", base), ("own", ROOT)) for count in (1, 2)})
    for count in (1, 2):
        row(f"localisation of 1,000 sensors, {count} rank(s) ÷ base",
            [a / b for a, b in zip(results[f"own, {count}"], results[f"base, {count}"])], "≤ 1.03")
    row("localisation of 1,000 sensors, 1 rank ÷ 2", [a / b for a, b in zip(results["own, 1"], results["own, 2"])],
        "≥ 1.93")


def hosts(base, rounds):
    """Two hosts of two ranks at 1 Gbit/s, 64 MiB."""
    size, lab = 64 << 20, "levels"
    if os.geteuid() != 0:
        print("| hosts | left out: needs root | | |")
        return

    def lockstep(root):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "results.json"
            subprocess.run([NETLAB, "run", lab, "--per-host", "2", "--timeout", "120", str(root / "hpc/lockstep"), "bench",
                            "allreduce", "--sizes", str(size), "--in-place", "--iterations", "5", "--json", str(file)],
                           check=True, capture_output=True, timeout=LIMIT_SECONDS)
            return json.loads(file.read_text())[0]["microseconds"]["median"] / 1e6

    def han(program):
        command = [NETLAB, "exec", lab, "0", *HAN, "--host", "10.77.0.1:2,10.77.0.2:2", "-n", "4", str(program), "openmpi",
                   "allreduce", "0", str(size)]  # in place coll/han crashes
        done = subprocess.run(command, check=True, text=True, capture_output=True, timeout=LIMIT_SECONDS,
                              env=dict(os.environ, NETLAB=lab))
        return json.loads(done.stdout[done.stdout.index("["):])[0]["microseconds"]["median"] / 1e6

    def stream():
        return float(subprocess.run([NETLAB, "stream", lab, "--seconds", "3"], check=True, text=True,
                                    capture_output=True).stdout)

    subprocess.run([NETLAB, "up", lab, "2", "--rate", "1gbit"], check=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            program = sweep.build_program("openmpi", sweep.PEERS / "collectives_mpi.c", pathlib.Path(folder) / "openmpi")
            contestants = {"own": lambda: lockstep(ROOT), "base": lambda: lockstep(base), "stream": stream}
            if program:
                contestants["han"] = lambda: han(program)
            results = turns(min(rounds, 3), contestants)
    finally:
        subprocess.run([NETLAB, "down", lab], check=True)
    # Between two hosts an all-reduce sends and receives each byte once.
    wire = [size * 8 / seconds / 1e6 / carried for seconds, carried in zip(results["own"], results["stream"])]
    row("two levels, 2 × 2 ranks, 64 MiB: share of a plain stream", wire, "≥ 0.99")
    row("the same ÷ base", [a / b for a, b in zip(results["own"], results["base"])], "≤ 1.03")
    if program:
        row("Open MPI's coll/han ÷ the same", [a / b for a, b in zip(results["han"], results["own"])], "≥ 1.5")


PARTS = {"all-reduce": all_reduce, "exchange": exchange, "step": step, "fused": fused, "localize": localize,
         "hosts": hosts}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(PARTS))
    arguments = parser.parse_args()
    os.environ.pop("OPENBLAS_CORETYPE", None)
    os.environ["OMP_NUM_THREADS"] = "1"
    commit = subprocess.run(["git", "-C", str(arguments.base), "rev-parse", "--short", "HEAD"], text=True,
                            capture_output=True).stdout.strip()
    print(f"{time.strftime('%Y-%m-%d')}, base {commit}, {arguments.rounds} rounds\n")
    print("| what | median (min – max) | aim | |\n|---|---|---|---|", flush=True)
    for part in arguments.only.split(","):
        PARTS[part](arguments.base.resolve(), arguments.rounds)


if __name__ == "__main__":
    main()
