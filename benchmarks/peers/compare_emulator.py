#!/usr/bin/env python3
"""Side by side: the quickstart's emulator (30 epochs) by Lockstep on one and two ranks and by scikit-learn.

    python3 benchmarks/peers/compare_emulator.py [--rounds 5] [--python PYTHON] [--data esku_heat_budget.cdf]

Times are of training alone: `seconds` of summary.json (validation and checkpoints included) and of fit(). The contestants
take turns. Prints Markdown for benchmarks/RESULTS.md.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 300


def lockstep(ranks, data, folder):
    command = ["train", str(ROOT / "examples/heat-flux.yaml"), "--set", f"data.path={data}",
               "--set", f"output.folder={folder}", "--set", "output.plots=false", "--set", "threads=1"]
    if ranks > 1:
        command = ["launch", "-n", str(ranks), "--", *command]
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    subprocess.run([str(ROOT / "hpc/lockstep"), *command], check=True, timeout=LIMIT_SECONDS, env=environment,
                   stdout=subprocess.DEVNULL)
    with open(pathlib.Path(folder) / "heat-flux" / "summary.json") as file:
        return json.load(file)


def scikit_learn(python, data):
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    output = subprocess.run([python, str(ROOT / "benchmarks/peers/emulator_sklearn.py"), data], check=True, text=True,
                            timeout=LIMIT_SECONDS, env=environment, stdout=subprocess.PIPE).stdout
    return json.loads(output)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", default="python3", help="a Python with scikit-learn and SciPy")
    parser.add_argument("--data", default="/usr/share/ferret-vis/data/esku_heat_budget.cdf")
    arguments = parser.parse_args()

    contestants = {
        "scikit-learn MLPRegressor": lambda folder: scikit_learn(arguments.python, arguments.data),
        "Lockstep, 1 rank": lambda folder: lockstep(1, arguments.data, folder),
        "Lockstep, 2 ranks (TCP)": lambda folder: lockstep(2, arguments.data, folder),
    }
    results = {name: [] for name in contestants}
    for _ in range(arguments.rounds):
        for name, run in contestants.items():
            with tempfile.TemporaryDirectory() as folder:
                results[name].append(run(folder))

    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {arguments.rounds} rounds\n")
    print("| contestant | seconds, median | min | max | R² FSR, FUL, FLH, FSH (last round) |\n|---|---|---|---|---|")
    for name, runs in results.items():
        seconds = [run["seconds"] for run in runs]
        scores = ", ".join(f"{value:.4f}" for value in runs[-1]["r2"].values())
        print(f"| {name} | {statistics.median(seconds):.2f} | {min(seconds):.2f} | {max(seconds):.2f} | {scores} |")
    peer = [run["seconds"] for run in results["scikit-learn MLPRegressor"]]
    for name in list(results)[1:]:
        ratios = [own["seconds"] / other for own, other in zip(results[name], peer)]
        print(f"\n{name} ÷ scikit-learn: {statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f}); aim ≤ 1")


if __name__ == "__main__":
    main()
