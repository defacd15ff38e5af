#!/usr/bin/env python3
"""Speed and quality of `lockstep localize`: the table of benchmarks/RESULTS.md in one run.

    python3 benchmarks/localization.py [--rounds 3] [--stanford FILE.json] [--only speed,ranks,large,quality,random]

Seconds are those that result.json gives for its phases, without the start of the JVM. One rank is pinned to core 1, two
ranks to a core each. --stanford is the network test10-500 of the Stanford collection in the JSON layout of the README.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
LOCKSTEP = str(ROOT / "hpc/lockstep")
NETWORKS = ROOT / "java/localize/src/test/resources/dev/lockstep/localize"
LIMIT_SECONDS = 900
PURE = {"algorithm.refine": "false", "algorithm.uncertainty": "false", "algorithm.tolerance": "0"}


def generated(sensors, anchors, reach, seed, noise=0.05):
    return {"network.n_sensors": sensors, "network.n_anchors": anchors, "network.communication_range": reach,
            "measurements.noise_factor": noise, "measurements.seed": seed}


def locate(ranks, settings, network=None):
    """@return result.json of one run"""
    with tempfile.TemporaryDirectory() as folder:
        words = ["localize", "--out", folder, "--timeout", "300"]
        if network:
            words += ["--network", str(network)]
        for key, value in settings.items():
            words += ["--set", f"{key}={value}"]
        config = pathlib.Path(folder) / "config.yaml"
        config.write_text("{measurements: {noise_factor: 0.05, seed: 1}}" if network else
                          "{network: {n_sensors: 30, n_anchors: 6, communication_range: 0.7, dimension: 2}}")
        words += ["--config", str(config)]
        command = ["taskset", "-c", "1", LOCKSTEP, *words]
        if ranks > 1:
            # Each rank takes the core of its number.
            command = [LOCKSTEP, "launch", "-n", str(ranks), "--", "sh", "-c",
                       'exec taskset -c "$RANK" "$0" "$@"', LOCKSTEP, *words]
        done = subprocess.run(command, text=True, capture_output=True, timeout=LIMIT_SECONDS)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
        return json.loads((pathlib.Path(folder) / "result.json").read_text())


def span(values, form=".3f"):
    return f"{statistics.median(values):{form}} ({min(values):{form}} – {max(values):{form}})"


def splitting(result):
    return result["seconds"]["splitting"]


def speed(rounds):
    own = NETWORKS / "snl30-seed0.json"
    for form in ("sparse", "dense"):
        runs = [splitting(locate(1, {**PURE, "algorithm.max_iterations": 500, "algorithm.form": form}, own))
                for _ in range(rounds)]
        print(f"| n = 30, 500 iterations, one core, {form} | {span(runs)} s | ≤ 0.1 s |")
    settings = {**generated(250, 25, 0.2, 1), **PURE, "algorithm.max_iterations": 500}
    print(f"| n = 250, 500 iterations, 2 ranks | {span([splitting(locate(2, settings)) for _ in range(rounds)])} s | ≤ 1 s |")


def ranks(rounds):
    for sensors, anchors, reach, iterations in ((1000, 50, 0.12, 2000), (10000, 1000, 0.0178, 400),
                                                (100000, 10000, 0.00564, 60)):
        settings = {**generated(sensors, anchors, reach, 1), **PURE, "algorithm.max_iterations": iterations}
        pairs = [(splitting(locate(1, settings)), splitting(locate(2, settings))) for _ in range(rounds)]
        cost = [one / iterations / sensors * 1e6 for one, _ in pairs]
        print(f"| n = {sensors}, 2 ranks against 1 | {span([one / two for one, two in pairs], '.2f')} × | ≥ 1.85 × |")
        print(f"| n = {sensors}, an iteration of a sensor, 1 rank | {span(cost, '.2f')} µs | linear |")


def large(rounds):
    settings = {**generated(100000, 10000, 0.00564, 1), "algorithm.max_iterations": 200, "algorithm.tolerance": 0}
    for _ in range(rounds):
        result = locate(2, settings)
        seconds = ", ".join(f"{phase} {value:.1f}" for phase, value in result["seconds"].items())
        print(f"| n = 100,000, 200 iterations and refinement, 2 ranks | {seconds}; RMSE {result['rmse_mps']:.5f}, then "
              f"{result['rmse']:.5f} | ≤ 300 s |")


def quality(stanford, rounds):
    result = locate(1, {"algorithm.max_iterations": 500, "algorithm.tolerance": 0}, NETWORKS / "radar-20-8.json")
    flagged = [entry["sensor"] for entry in result["ambiguous"]]
    print(f"| radar-20-8 | MPS {result['rmse_mps']:.4f}, refined {result['rmse']:.4f}, flagged {flagged} | MPS ≤ 0.055 |")
    if stanford:
        settings = {"measurements.noise_factor": 0.1, "algorithm.max_iterations": 500, "algorithm.tolerance": 0}
        results = [locate(1, settings, stanford) for _ in range(rounds)]
        # Without pictures and files.
        seconds = [sum(result["seconds"][phase] for phase in ("setup", "splitting", "refinement")) for result in results]
        print(f"| stanford-500, cold start, one core | RMSE {results[0]['rmse']:.5f} in {span(seconds)} s | ≤ 0.0147 in 5 s |")


def random_networks():
    results = [locate(1, {**generated(30, 6, 0.7, seed), "algorithm.max_iterations": 500, "algorithm.tolerance": 0})
               for seed in range(50)]
    for name, aim in (("rmse_mps", "1.89e-3 elsewhere"), ("rmse", "≤ 1.2e-4")):
        print(f"| 50 random networks, n = 30: MSE by {name} | {span([result[name] ** 2 for result in results], '.2e')} | {aim} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stanford", type=pathlib.Path)
    parser.add_argument("--only", default="speed,ranks,large,quality,random")
    options = parser.parse_args()
    os.environ.pop("OPENBLAS_CORETYPE", None)
    os.environ["OMP_NUM_THREADS"] = "1"
    wanted = options.only.split(",")
    print("| what | measured: median (min – max) | aim |\n|---|---|---|", flush=True)
    if "speed" in wanted:
        speed(options.rounds)
    if "ranks" in wanted:
        ranks(options.rounds)
    if "large" in wanted:
        large(1)
    if "quality" in wanted:
        quality(options.stanford, options.rounds)
    if "random" in wanted:
        random_networks()


if __name__ == "__main__":
    main()
