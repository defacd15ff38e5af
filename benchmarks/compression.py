#!/usr/bin/env python3
"""A training step between two hosts with compressed gradients, next to the step without and to its computation alone.

    sudo python3 benchmarks/compression.py [--rounds 3] [--batch 64] [--link "--rate 1gbit"]

The MLP of 22 million parameters of hpc/netlab/training.py, two hosts of the network lab, one rank each, pinned to a core.
Methods take turns. Needs `mvn package -DskipTests` and the native benchmarks, as that script does.
"""
import argparse
import importlib.util
import pathlib
import shlex
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("netlab_training", ROOT / "hpc/netlab/training.py")
training = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(training)

# What a step may take at 1 Gbit/s with 64 samples a rank, in ms; None: no aim.
METHODS = {
    "none": ("none", None),
    "bf16": ("bf16", 440),
    "fp16": ("fp16", None),
    "int8": ("int8", 300),
    "one_bit": ("one_bit", None),
    "top_k 1 %": ("{type: top_k, density: 0.01}", 190),
    "power_sgd rank 4": ("{type: power_sgd, rank: 4}", 160),
    "auto": ("auto", None),
}


def command(batch, compression):
    return training.training_command(batch) + [f"strategy.compression={compression}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64, help="samples a rank")
    parser.add_argument("--link", default="--rate 1gbit", help="link options of netlab up")
    parser.add_argument("--only", action="append", help="a method's name; several times for several")
    parser.add_argument("--lab", default="compression")
    options = parser.parse_args()
    methods = {name: METHODS[name] for name in options.only or METHODS}
    times = {name: [] for name in methods}
    computed = []
    training.output_of([training.NETLAB, "up", options.lab, str(training.HOSTS), *shlex.split(options.link)])
    try:
        for _ in range(options.rounds):
            alone = training.pinned(training.training_command(options.batch), alone=True)
            computed.append(training.milliseconds_of(training.on_ranks(options.lab, alone)))
            for name, (compression, _) in methods.items():
                step = training.pinned(command(training.HOSTS * options.batch, compression))
                times[name].append(training.milliseconds_of(training.on_ranks(options.lab, step)))
                print(f"{name}: {times[name][-1]:.0f} ms", file=sys.stderr)
    finally:
        training.output_of([training.NETLAB, "down", options.lab])
    print(f"Computation alone: {training.span(computed, '.0f')} ms.\n")
    print("| compression | step, ms | ÷ none | aim |\n|---|---|---|---|")
    for name, (_, aim) in methods.items():
        ratio = ""
        if "none" in times:
            ratio = training.span([own / plain for own, plain in zip(times[name], times["none"])], ".3f")
        print(f"| {name} | {training.span(times[name], '.0f')} | {ratio} | {'' if aim is None else f'≤ {aim}'} |")


if __name__ == "__main__":
    main()
