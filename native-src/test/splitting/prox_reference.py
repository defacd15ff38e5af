"""Prints the numbers in prox_reference.inc: the proximal steps of prox-cases.json, as DataTerm takes them.

    python3 prox_reference.py prox-cases.json > prox_reference.inc

The file comes from an independent implementation of Barkley & Bassett, arXiv 2503.13403. It has each neighbour's Y_ij and
Y_jj side by side; DataTerm has all Y_ij first.
"""
import json
import sys

NEIGHBORS = 7


def numbers(values):
    return "{" + ", ".join(repr(value) for value in values) + "}"


def reordered(xi):
    pairs = xi[1:1 + 2 * NEIGHBORS]
    return [xi[0]] + pairs[0::2] + pairs[1::2] + xi[1 + 2 * NEIGHBORS:]


print("// From prox-cases.json by prox_reference.py: alpha, anchors, right-hand sides, before, after.")
for case in json.load(open(sys.argv[1])):
    anchors = [-entry / 2 for row in case["B"][NEIGHBORS:] for entry in row[-2:]]
    print("{%r, %s,\n %s,\n %s,\n %s}," % (case["tau"], numbers(anchors), numbers(case["rhs"]),
                                         numbers(reordered(case["x_in"])), numbers(reordered(case["x_out"]))))
