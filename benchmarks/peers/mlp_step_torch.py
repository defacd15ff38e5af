#!/usr/bin/env python3
"""One training step of a 64-512-512-1 MLP by PyTorch: eager on one rank, DistributedDataParallel (Gloo) on several.

Run by compare_mlp_step.py, or by hand: RANK=0 WORLD_SIZE=1 python3 mlp_step_torch.py --steps 200
Rank 0 prints one JSON object: contestant, ranks, median milliseconds a step.
"""
import argparse
import json
import os
import statistics
import time

import torch
import torch.distributed as dist


def build_model():
    return torch.nn.Sequential(
        torch.nn.Linear(64, 512), torch.nn.ReLU(),
        torch.nn.Linear(512, 512), torch.nn.ReLU(),
        torch.nn.Linear(512, 1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--warm-up", type=int, default=50)
    parser.add_argument("--global-batch", type=int, default=1000)
    arguments = parser.parse_args()

    rank = int(os.environ.get("RANK", "0"))
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = build_model()
    if ranks > 1:
        dist.init_process_group("gloo")
        model = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    batch = arguments.global_batch // ranks
    inputs = torch.randn(batch, 64)
    targets = torch.randn(batch, 1)

    seconds = []
    for step in range(arguments.warm_up + arguments.steps):
        begin = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(inputs), targets).backward()
        optimizer.step()
        if step >= arguments.warm_up:
            seconds.append(time.perf_counter() - begin)

    if rank == 0:
        print(json.dumps({
            "contestant": "PyTorch " + torch.__version__ + (" DDP Gloo" if ranks > 1 else " eager"),
            "ranks": ranks,
            "milliseconds": statistics.median(seconds) * 1e3,
        }), flush=True)
    if ranks > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
