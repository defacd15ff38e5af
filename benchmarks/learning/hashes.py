#!/usr/bin/env python3
"""One SHA-256 of the model for 1 to 5 ranks × transports × splits of the rows, of each learner.

    python3 benchmarks/learning/hashes.py [--work FOLDER] [--ranks 1,2,3,4,5]

Needs numpy and, for its rows, Open MPI (mpirun.openmpi) and MPICH (mpiexec.mpich). Rows are dealt from one file, or lie on
the ranks as a seeded shuffle put them, the last rank's file being empty. Exit code 1 if any two models differ.
"""
import argparse, json, os, shutil, subprocess, sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(ROOT / "hpc/lockstep")
LEARNERS = {
    "k-means": {"type": "kmeans", "clusters": 7, "max_iterations": 20},
    "forest": {"type": "forest", "trees": 5, "objective": "multiclass"},
    "boosting": {"type": "boosting", "rounds": 8, "objective": "binary", "bagging_fraction": 0.7, "feature_fraction": 0.6},
}
MPI = {"Open MPI": ["mpirun.openmpi", "--allow-run-as-root", "--oversubscribe", "-n"], "MPICH": ["mpiexec.mpich", "-n"]}


def transports():
    yield "TCP", "tcp", [PROGRAM, "launch", "-n"], ["--"]
    yield "shared memory", "shared_memory", [PROGRAM, "launch", "-n"], ["--"]
    for name, command in MPI.items():
        if shutil.which(command[0]):
            yield name, "mpi", command, []
        else:
            print(f"skipped: {name}, {command[0]} is not installed", flush=True)


def table(kind, rows):
    random = np.random.default_rng(4)
    inputs = random.normal(size=(rows, 6)) + random.integers(3, size=(rows, 1))
    inputs[random.random(inputs.shape) < 0.02] = np.nan
    if kind == "k-means":
        return np.nan_to_num(inputs)
    target = inputs[:, 0] + np.nan_to_num(inputs[:, 1]) ** 2
    target = np.nan_to_num(target) > 1 if kind == "boosting" else np.digitize(np.nan_to_num(target), [0, 1, 2])
    return np.column_stack([inputs, target])


def split(values, ranks, folder, seed):
    """A shuffled share for each rank; with two or more, nothing for the last."""
    order = np.random.default_rng(seed).permutation(len(values))
    filled = max(1, ranks - 1)
    cuts = np.sort(np.random.default_rng(seed + 1).integers(len(values), size=filled - 1))
    parts = np.split(order, cuts) + [np.array([], int)] * (ranks - filled)
    for rank, part in enumerate(parts):
        np.save(folder / f"part-{rank}.npy", values[part])


def fit(arguments, kind, data, backend, before, after, ranks):
    config = arguments.work / "fit.json"
    if kind != "k-means":
        data = {**data, "target": "data[6]"}
    config.write_text(json.dumps({
        "name": "hash", "seed": 5, "data": data, "learner": LEARNERS[kind],
        "communicator": {"backend": backend, "timeout_seconds": 120},
        "output": {"folder": str(arguments.work / "runs"), "plots": False, "progress": "none"}}))
    done = subprocess.run(before + [str(ranks)] + after + [PROGRAM, "fit", str(config)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    summary = json.loads((arguments.work / "runs/hash/summary.json").read_text())
    if summary["world_size"] != ranks:
        sys.exit(f"{summary['world_size']} ranks took part, not {ranks}")
    return summary["model_sha256"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("/tmp/lockstep-hashes"))
    parser.add_argument("--ranks", type=lambda text: [int(one) for one in text.split(",")], default=[1, 2, 3, 4, 5])
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    os.environ["OMP_NUM_THREADS"] = "1"
    ways, differ = list(transports()), False
    print("| learner | transport | ranks | dealt | shuffled, one rank empty |\n|---|---|---|---|---|")
    for kind in LEARNERS:
        values, found = table(kind, 3000), set()
        np.save(arguments.work / "all.npy", values)
        for name, backend, before, after in ways:
            for ranks in arguments.ranks:
                dealt = fit(arguments, kind, {"path": str(arguments.work / "all.npy")}, backend, before, after, ranks)
                split(values, ranks, arguments.work, ranks)
                local = {"path": str(arguments.work / "part-{rank}.npy"), "ownership": "local"}
                lying = fit(arguments, kind, local, backend, before, after, ranks)
                found |= {dealt, lying}
                print(f"| {kind} | {name} | {ranks} | {dealt[:12]} | {lying[:12]} |", flush=True)
        differ |= len(found) > 1
        print(f"{kind}: {len(found)} model{'s' if len(found) > 1 else ''}", flush=True)
    sys.exit(differ)


if __name__ == "__main__":
    main()
