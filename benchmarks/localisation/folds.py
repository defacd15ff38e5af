#!/usr/bin/env python3
"""Folds and ellipses of irregular and dense networks: both tables of benchmarks/RESULTS.md.

    python3 benchmarks/localisation/folds.py [--networks 60] [--first 0] [--dense 3] [--folder FOLDER] [--program hpc/lockstep]

Makes networks (or reads those of a folder with meta.json), locates each with `lockstep localize`, and compares it with
maximum likelihood from the truth by an implementation of its own. A sensor is wrong where it is farther from that than 3
of its standard deviations and a tenth of the reach. The fold is right where no sensor is wrong. A flagged sensor is
truly ambiguous where a descent from its other place stays a tenth of the reach away, and −log likelihood rises by no more
than half of χ²'s 99 % quantile with as many degrees of freedom as dimensions. Needs NumPy and SciPy.
"""
import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from scipy.stats import chi2

import networks
from likelihood import Likelihood

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 300


def locate(program, network):
    """@return positions, covariances (None where not determined), ambiguous sensors with their other places, verdict, seconds"""
    with tempfile.TemporaryDirectory() as folder:
        file, out = pathlib.Path(folder) / "network.csv", pathlib.Path(folder) / "located"
        network.write(file)
        done = subprocess.run([program, "localize", "--network", str(file), "--out", str(out), "--set",
                               f"measurements.noise_factor={network.noise}"], text=True, capture_output=True,
                              timeout=LIMIT_SECONDS)
        if done.returncode:
            sys.exit(f"{file} ended with {done.returncode}: {done.stderr[-2000:]}")
        result = json.loads((out / "result.json").read_text())
    order = [result["sensors"].index(network.name(k)) for k in range(network.sensors)]
    number = {at: k for k, at in enumerate(order)}
    others = [(number[each["sensor"]], each["alternative"], each["cost_difference"]) for each in result["ambiguous"]]
    return (np.array(result["positions"])[order], [result["covariances"][k] for k in order], others, result["certainty"],
            sum(result["seconds"].values()))


def rms(differences):
    return float(np.sqrt((differences ** 2).sum(axis=1).mean()))


def truly_ambiguous(likelihood, positions, others):
    """Sensors with the same difference are of one group and move together. @return of each sensor"""
    network = likelihood.network
    here = likelihood.reweighted(positions)
    least = likelihood.negative_logarithm(here)
    true = np.zeros(network.sensors, bool)
    for difference in {each[2] for each in others}:
        moved = here.copy()
        group = [sensor for sensor, _, of in others if of == difference]
        moved[group] = [place for _, place, of in others if of == difference]
        there = likelihood.reweighted(moved, 4)
        if likelihood.negative_logarithm(there) - least <= 0.5 * chi2.ppf(0.99, network.dimension):
            true[group] |= np.linalg.norm(there - here, axis=1)[group] > 0.1 * network.reach
    return true


def judge(program, name, kind, network):
    positions, covariances, others, verdict, seconds = locate(program, network)
    flagged = np.zeros(network.sensors, bool)
    flagged[[sensor for sensor, _, _ in others]] = True
    likelihood = Likelihood(network)
    best, best_cost = likelihood.from_truth()
    deviations = likelihood.deviations_of_sensors(best)
    cost = likelihood.descend(positions)[1]
    reweighted = likelihood.reweighted(best)
    above = likelihood.negative_logarithm(positions) - likelihood.negative_logarithm(reweighted)
    off = np.linalg.norm(positions - best, axis=1)
    wrong = off > np.maximum(3 * deviations, 0.1 * network.reach)
    true = truly_ambiguous(likelihood, positions, others)
    inside = [float(e @ np.linalg.solve(np.array(c), e)) < chi2.ppf(0.95, network.dimension)
              for e, c in zip(positions - network.truth, covariances) if c is not None]
    return {"name": name, "kind": kind, "d": network.dimension, "n": network.sensors, "noise": network.noise,
            "ratio": rms(positions - network.truth) / rms(best - network.truth), "cost_above": cost - best_cost,
            "likelihood_above": above, "wrong": int(wrong.sum()), "flagged": int(flagged.sum()),
            "wrong_flagged": int((wrong & flagged).sum()), "right_flags": int((flagged & (wrong | true)).sum()),
            "inside": int(sum(inside)), "ellipses": len(inside), "verdict": verdict, "seconds": seconds}


def show_folds(rows):
    share = lambda test: f"{np.mean([test(row) for row in rows]):.2f}"  # noqa: E731
    wrong, flagged, both, right = (sum(row[key] for row in rows)
                                   for key in ("wrong", "flagged", "wrong_flagged", "right_flags"))
    doubted = [row for row in rows if row["wrong"] and row["verdict"] != "unique"]
    print("| networks | within 1.2 × | within 2 × | median ratio | cost above by > 3 | −log likelihood above by > 3 | "
          "wrong sensors | of them flagged | flagged in all | "
          "wrong or truly ambiguous | networks with wrong sensors, not called unique |")
    print("|---" * 11 + "|")
    print(f"| {len(rows)} | {share(lambda r: r['ratio'] <= 1.2)} | {share(lambda r: r['ratio'] <= 2)} | "
          f"{np.median([row['ratio'] for row in rows]):.2f} | {share(lambda r: r['cost_above'] > 3)} | "
          f"{share(lambda r: r['likelihood_above'] > 3)} | {wrong} of {sum(row['n'] for row in rows)} | {both} | {flagged} | "
          f"{right} | {len(doubted)} of {sum(row['wrong'] > 0 for row in rows)} |\n")


def show_ellipses(rows):
    print("Truth inside the 95 % ellipse, of all sensors of networks without a wrong one (aim 0.93 to 0.97):\n")
    print("| noise | " + " | ".join(kinds := ["irregular, 2-D", "irregular, 3-D", "dense, 2-D", "dense, 3-D"]) + " |")
    print("|---" * (len(kinds) + 1) + "|")
    for noise in sorted({row["noise"] for row in rows}):
        cells = []
        for kind in kinds:
            chosen = [row for row in rows if row["noise"] == noise and not row["wrong"] and
                      kind == f"{'dense' if row['kind'] == 'dense' else 'irregular'}, {row['d']}-D"]
            count = sum(row["ellipses"] for row in chosen)
            cells.append(f"{sum(row['inside'] for row in chosen) / count:.3f} ({count})" if count else "")
        print(f"| {noise:.0%} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=60)
    parser.add_argument("--first", type=int, default=0, help="number of the first irregular network")
    parser.add_argument("--dense", type=int, default=3, help="dense networks of each noise and dimension")
    parser.add_argument("--folder", help="read irregular networks from here instead")
    parser.add_argument("--program", default=str(ROOT / "hpc/lockstep"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=pathlib.Path, help="one row a network")
    options = parser.parse_args()

    def cases():
        if options.folder:
            yield from networks.load(options.folder)
        else:
            for seed in range(options.first, options.first + options.networks):
                yield str(seed), *networks.irregular(seed)
        for noise in (0.01, 0.05, 0.1, 0.2):
            for dimension in (2, 3):
                for seed in range(options.dense):
                    yield f"dense {noise} {dimension} {seed}", "dense", networks.dense(seed, noise, dimension)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        rows = []
        for row in pool.map(lambda case: judge(options.program, *case), cases()):
            rows.append(row)
            if row["ratio"] > 1.2 or row["wrong"]:
                print(f"{row['name']} ({row['kind']}, {row['d']}-D, {row['n']} sensors, noise {row['noise']}): ratio "
                      f"{row['ratio']:.2f}, cost above {row['cost_above']:.1f}, wrong {row['wrong']}, flagged "
                      f"{row['wrong_flagged']} of them, {row['verdict']}", file=sys.stderr, flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows))
    show_folds([row for row in rows if row["kind"] != "dense"])
    show_ellipses(rows)


if __name__ == "__main__":
    main()
