#!/usr/bin/env python3
"""Samples and seconds until a loss is reached, by way of training together and by link: which way pays where.

    sudo python3 benchmarks/curves.py [--epochs 8] [--target 0.02] [--only NAME]... [--links NAME]... [--curves FILE]

The heat fluxes of examples/heat-flux.yaml (Debian's package ferret-datasets) and a network of 535,000 parameters, on two hosts of
the network lab, a rank each, pinned to a core; constant rate. For each link, the seconds of training (scoring left out) and the
samples until the validation loss, which is scored after every epoch, is at most the target. FILE gets a JSON line a run with all
of its epochs. Needs `mvn package -DskipTests`.
"""
import argparse
import importlib.util
import json
import pathlib
import shlex
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("netlab_training", ROOT / "hpc/netlab/training.py")
lab = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(lab)

LINKS = {
    "10 Gbit/s": "--rate 10gbit",
    "1 Gbit/s, 1 ms": "--rate 1gbit --delay 1ms",
    "100 Mbit/s, 10 ms": "--rate 100mbit --delay 10ms",
}
WAYS = {
    "data_parallel": [],
    "… int8": ["compression=int8"],
    "… power_sgd rank 4": ["compression={type: power_sgd, rank: 4}"],
    "parameter_server asynchronous": ["type=parameter_server", "synchronization=asynchronous"],
    "local_sgd, every 8": ["type=local_sgd", "average_every=8"],
    "elastic_averaging, every 8": ["type=elastic_averaging", "every=8"],
    "gossip": ["type=gossip"],
    "diloco, every 32": ["type=diloco", "every=32"],
    "diloco, 4 fragments, bf16": ["type=diloco", "every=32", "fragments=4", "sent=bf16"],
}


def epochs(name, settings, options, folder):
    """The lines of a run's metrics."""
    run = "run-" + "".join(letter if letter.isalnum() else "-" for letter in name)
    command = [str(ROOT / "hpc/lockstep"), "train", str(ROOT / "examples/heat-flux.yaml")]
    for setting in [f"name={run}", f"output.folder={folder}", "output.plots=false", "output.progress=none",
                    "output.tensorboard=false", "threads=1", f"training.epochs={options.epochs}", "schedule.type=constant",
                    "model.hidden=[512, 512, 512]", *(f"strategy.{setting}" for setting in settings)]:
        command += ["--set", setting]
    lab.on_ranks(options.lab, lab.pinned(command))
    return [json.loads(line) for line in (pathlib.Path(folder) / run / "metrics.jsonl").read_text().splitlines()]


def reached(lines, target):
    """@return seconds and samples until the loss is at most the target; None where it never is"""
    seconds = samples = 0
    for line in lines:
        seconds += line["seconds"]
        samples += line["samples"]
        if line["validation_loss"] <= target:
            return seconds, samples
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--target", type=float, default=0.02, help="validation loss")
    parser.add_argument("--only", action="append", choices=WAYS)
    parser.add_argument("--links", action="append", choices=LINKS)
    parser.add_argument("--curves", help="file to which the runs' epochs are added")
    parser.add_argument("--lab", default="curves")
    options = parser.parse_args()
    links = options.links or list(LINKS)
    ways = options.only or list(WAYS)
    found = {}
    for link in links:
        lab.output_of([lab.NETLAB, "up", options.lab, "2", *shlex.split(LINKS[link])])
        try:
            for way in ways:
                with tempfile.TemporaryDirectory() as folder:
                    lines = epochs(way, WAYS[way], options, folder)
                found[way, link] = reached(lines, options.target)
                print(f"{link}, {way}: {found[way, link]}, last {lines[-1]['validation_loss']:.4f}", file=sys.stderr, flush=True)
                if options.curves:
                    with open(options.curves, "a") as file:
                        file.write(json.dumps({"link": link, "way": way, "epochs": lines}) + "\n")
        finally:
            lab.output_of([lab.NETLAB, "down", options.lab])
    print("| | samples | " + " | ".join(f"{link}, s" for link in links) + " |\n|---|---|" + "---|" * len(links))
    for way in ways:
        samples = next((f"{found[way, link][1]:,}" for link in links if found[way, link]), "not reached")
        seconds = [f"{found[way, link][0]:.1f}" if found[way, link] else "–" for link in links]
        print(f"| {way} | {samples} | " + " | ".join(seconds) + " |")


if __name__ == "__main__":
    main()
