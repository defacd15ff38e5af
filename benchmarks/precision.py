#!/usr/bin/env python3
"""What mixed precision gives on this processor: products, whole steps, and the heat fluxes' scores.

    python3 benchmarks/precision.py [--rounds 5] [--only products|steps|scores]... [--epochs 30] [--python PYTHON]

Products come first, as they are the limit of what a step can gain: libtorch's (oneDNN where it serves the type, else its own
loops) on one thread. Steps are of an MLP 2048 wide with batch 1024 and of one 512 wide with batch 1000; types take turns, and
ratios are taken round by round. Scores are R² on the heat fluxes of examples/heat-flux.yaml, at its rate and at 1e-4, where
parameters of pure bfloat16 (a control, whose file PYTHON with PyTorch writes) have to stall. Build first:
mvn -q package -DskipTests
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
sys.path.insert(0, str(ROOT / "benchmarks/peers"))
import ranks  # noqa: E402

PRODUCTS = [(1024, 2048, 2048), (1000, 512, 512), (256, 128, 128)]
STEPS = {
    "2048 wide, batch 1024": ["model.hidden=[2048, 2048, 2048]", "training.batch_size=1024",
                              "data.synthetic.samples=8360"],
    "512 wide, batch 1000": ["data.synthetic.samples=51000"],
}
# The network of examples/heat-flux.yaml: 8 features, 4 fluxes.
PURE = """
import sys, torch
from torch import nn
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 4))
torch.jit.script(net.to(torch.bfloat16)).save(sys.argv[1])
"""
TYPES = ["float32", "bf16", "auto"]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def environment():
    return dict({name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}, **ONE_THREAD)


def output(command, limit=1800):
    done = subprocess.run(command, env=environment(), text=True, capture_output=True, timeout=limit)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout + done.stderr


def java(main, *arguments):
    return ["taskset", "-c", "0", "java", "-XX:+UseSerialGC", "-cp", ranks.class_path(ROOT),
            f"dev.lockstep.benchmarks.{main}", *arguments]


def last_json(text):
    return json.loads([line for line in text.splitlines() if line.startswith("{")][-1])


def span(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def products(options):
    print("| product | float32, GFLOP/s | bf16 | with rounding | ÷ float32 | fp16, with rounding |\n|---|---|---|---|---|---|")
    for shape in PRODUCTS:
        times = last_json(output(java("ReducedProducts", *map(str, shape), str(5 * options.rounds))))
        rates = {name: times["gflop"] / times[name] * 1e3 for name in times if name != "gflop"}
        print(f"| {shape[0]} × {shape[1]} × {shape[2]} | {rates['float32']:.0f} | {rates['bf16']:.0f} "
              f"| {rates['bf16_rounded']:.0f} | {rates['bf16_rounded'] / rates['float32']:.2f} "
              f"| {rates['fp16_rounded']:.0f} |", flush=True)


def steps(options):
    print("\n| step | precision | ms | float32's ÷ its |\n|---|---|---|---|")
    for name, settings in STEPS.items():
        times = {kind: [] for kind in TYPES}
        for _ in range(options.rounds):
            for kind in TYPES:
                command = java("MlpStep", str(ROOT / "benchmarks/peers/mlp-step.yaml"), "4", *settings,
                               f"training.precision={kind}")
                times[kind].append(last_json(output(command))["milliseconds"])
        for kind in TYPES:
            ratio = [full / own for full, own in zip(times["float32"], times[kind])]
            print(f"| {name} | {kind} | {span(times[kind], '.2f')} | {span(ratio, '.3f')} |", flush=True)


def scores(options):
    kinds = {"float32": [], "bf16": ["training.precision=bf16"], "fp16": ["training.precision=fp16"],
             "pure bfloat16": ["model={type: file, file: %s}"]}
    print("\n| rate | precision | R² of each flux | furthest from float32 |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        pure = str(pathlib.Path(folder) / "pure.pt")
        output([options.python, "-c", PURE, pure])
        kinds["pure bfloat16"] = [setting % pure for setting in kinds["pure bfloat16"]]
        for rate in ("1e-3", "1e-4"):
            full = None
            for kind, settings in kinds.items():
                run = f"{kind}-{rate}".replace(" ", "-")
                command = [str(ROOT / "hpc/lockstep"), "train", str(ROOT / "examples/heat-flux.yaml")]
                for setting in [f"name={run}", f"training.epochs={options.epochs}", f"optimizer.learning_rate={rate}",
                                f"output.folder={folder}", "output.plots=false", "output.progress=none", "threads=1",
                                *settings]:
                    command += ["--set", setting]
                output(command)
                r2 = json.loads((pathlib.Path(folder) / run / "summary.json").read_text())["r2"]
                full = full or r2
                furthest = max((r2[flux] - full[flux] for flux in r2), key=abs)
                print(f"| {rate} | {kind} | {', '.join(f'{value:.4f}' for value in r2.values())} | {furthest:+.4f} |",
                      flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30, help="of the heat fluxes")
    parser.add_argument("--python", default="/usr/bin/python3", help="a Python with PyTorch, for the control")
    parser.add_argument("--only", action="append", choices=["products", "steps", "scores"])
    options = parser.parse_args()
    parts = {"products": products, "steps": steps, "scores": scores}
    for name in options.only or parts:
        parts[name](options)


if __name__ == "__main__":
    main()
