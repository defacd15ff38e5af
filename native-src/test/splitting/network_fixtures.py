"""Prints a network as networks.h reads it, or what a reference implementation found for one.

    python3 network_fixtures.py snl30-seed0.json > snl30_seed0.inc
    python3 network_fixtures.py radar-20-8.json > radar_20_8.inc
    python3 network_fixtures.py snl30-seed0-expected.json > snl30_seed0_expected.inc

The files come with an independent implementation of Barkley & Bassett, arXiv 2503.13403.
"""
import json
import sys


def braces(value):
    if isinstance(value, list):
        return "{" + ", ".join(braces(entry) for entry in value) + "}"
    return repr(value)


def flat(rows):
    return [entry for row in rows for entry in row]


def wrapped(text, width=118):
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) + 1 > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)


def field(name, value):
    print(wrapped(".%s = %s," % (name, braces(value))))


def trajectory(by_iteration):
    return [[int(iteration), mse] for iteration, mse in by_iteration.items()]


def main():
    name = sys.argv[1].rsplit("/", 1)[-1]
    data = json.load(open(sys.argv[1]))
    print("// From %s by network_fixtures.py." % name)
    if "P_block" in data:
        field("weights", flat(data["P_block"]))
        field("exact", trajectory(data["mse_by_iteration_exact_prox"]))
        field("inexact", trajectory(data["mse_by_iteration_inexact_prox"]))
        field("positions", flat(data["positions_at_500"]))
    else:
        field("dimension", data["dimension"])
        field("anchors", flat(data["anchors"]))
        field("truth", flat(data["sensors"]))
        field("sensor_ranges", data["sensor_edges"])
        field("anchor_ranges", data["anchor_edges"])
        if "neighbors" in data:
            field("neighbors", data["neighbors"])


if __name__ == "__main__":
    main()
