#!/usr/bin/env python3
"""What finding the right fold and honest ellipses cost: this build's seconds over an older one's.

    python3 benchmarks/localisation/time_of_search.py --base FOLDER [--rounds 5] [--large 1] [--most-sensors 1000]

FOLDER is a checkout of the older commit (677d5e7) in which `mvn -q package -DskipTests` has run, as in this one. One rank on
core 1; builds take turns; seconds of all phases but the output, from result.json. A ratio is taken round by round.
"""
import argparse
import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import localization  # noqa: E402

PHASES = ("setup", "splitting", "refinement", "covariances", "ambiguity")
# Sensors, dimension, anchors, reach (10 to 20 ranges a sensor), most times the base.
NETWORKS = [(30, 2, 6, 0.5, 3), (200, 2, 20, 0.16, 3), (200, 3, 20, 0.28, 3), (1000, 2, 80, 0.07, 3),
            (1000, 3, 80, 0.16, 3), (100000, 2, 10000, 0.00564, 1.5)]


def seconds(root, settings):
    localization.LOCKSTEP = str(root / "hpc/lockstep")
    result = localization.locate(1, settings)
    return sum(result["seconds"].get(phase, 0) for phase in PHASES), result["rmse"]


def span(values, form=".2f"):
    return f"{statistics.median(values):{form}} ({min(values):{form}} – {max(values):{form}})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", type=int, default=1, help="rounds with 100,000 sensors; 0 leaves them out")
    parser.add_argument("--most-sensors", type=int, default=100000, help="leaves larger networks out")
    options = parser.parse_args()
    os.environ.pop("OPENBLAS_CORETYPE", None)
    os.environ["OMP_NUM_THREADS"] = "1"
    print("| network | base, s | now, s | ratio | aim | RMSE base | now |\n|---|---|---|---|---|---|---|", flush=True)
    for sensors, dimension, anchors, reach, most in NETWORKS:
        if sensors > options.most_sensors:
            continue
        rounds = options.rounds if sensors < 100000 else options.large
        old, new = [], []
        for number in range(rounds):
            settings = {**localization.generated(sensors, anchors, reach, number + 1), "network.dimension": dimension,
                        "algorithm.max_iterations": 500 if sensors < 100000 else 200, "algorithm.tolerance": 0}
            turns = [(old, options.base.resolve()), (new, ROOT)]
            for times, root in turns if number % 2 == 0 else turns[::-1]:
                times.append(seconds(root, settings))
        if not rounds:
            continue
        ratios = [b[0] / a[0] for a, b in zip(old, new)]
        print(f"| {sensors:,}, {dimension}-D | {span([t for t, _ in old], '.3g')} | {span([t for t, _ in new], '.3g')} | "
              f"{span(ratios)}{', **missed**' if statistics.median(ratios) > most else ''} | ≤ {most} | "
              f"{statistics.median(r for _, r in old):.3g} | {statistics.median(r for _, r in new):.3g} |", flush=True)


if __name__ == "__main__":
    main()
