#!/usr/bin/env python3
"""The sweep of `lockstep bench` for PyTorch's Gloo, measured in the same way (dev.lockstep.bench.Bench):

every rank rewrites its own inputs; barrier; clock; the operation; clock; every rank reads and checks all of its results.
An iteration takes the mean over ranks up to 64 KiB, the maximum above; of iterations the median.

    RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29500 python3 collectives_torch.py OPERATION SIZE[,SIZE...]

Elements are f32, reductions are sums, all-reduce is in place (PyTorch has no other). Rank 0 prints the JSON array that
`lockstep bench --json` writes. Gloo has no reduce-scatter and no all-to-all for CPU tensors of this PyTorch.
"""
import json
import statistics
import sys
import time

import torch
import torch.distributed as dist

VARIANTS = 7
PERIOD = 8191
MEAN_UP_TO = 64 * 1024


def pattern(seed, count, largest):
    """`VARIANTS` shifted forms of a pattern of small integers that repeats with a prime period."""
    generator = torch.Generator().manual_seed(seed)
    period = torch.randint(0, largest + 1, (PERIOD,), generator=generator).float()
    repeated = period.repeat((count + VARIANTS) // PERIOD + 1)
    return [repeated[variant:variant + count] for variant in range(VARIANTS)]


class Work:
    """Tensors of one operation and size: what is written before, run, and compared after."""

    def __init__(self, operation, count):
        ranks, rank = dist.get_world_size(), dist.get_rank()
        self.operation = operation
        self.first = torch.zeros(count)
        if operation == "allreduce":
            contributions = [pattern(r, count, 5) for r in range(ranks)]
            self.written = [(self.first, contributions[rank])]
            self.read = [(self.first, [sum(c[v] for c in contributions) for v in range(VARIANTS)])]
        elif operation == "broadcast":
            source = pattern(0, count, 100)
            self.written = [(self.first, source)] if rank == 0 else []
            self.read = [(self.first, source)]
        elif operation == "allgather":
            part = count // ranks
            self.first = torch.zeros(part)
            self.parts = list(torch.zeros(count).split(part))
            sources = [pattern(r, part, 100) for r in range(ranks)]
            self.written = [(self.first, sources[rank])]
            self.read = list(zip(self.parts, sources))
        elif operation == "pingpong":
            self.second = torch.zeros(count)
            self.written = [(self.first, pattern(rank, count, 100))] if rank < 2 else []
            self.read = [(self.second, pattern(1 - rank, count, 100))] if rank < 2 else []
        else:
            self.written, self.read = [], []

    def run(self):
        if self.operation == "allreduce":
            dist.all_reduce(self.first)
        elif self.operation == "broadcast":
            dist.broadcast(self.first, 0)
        elif self.operation == "allgather":
            dist.all_gather(self.parts, self.first)
        elif self.operation == "barrier":
            dist.barrier()
        elif dist.get_rank() == 0:
            dist.send(self.first, 1)
            dist.recv(self.second, 1)
        elif dist.get_rank() == 1:
            dist.recv(self.second, 0)
            dist.send(self.first, 0)

    def errors(self, variant):
        return sum(0 if torch.equal(actual, expected[variant]) else int((actual != expected[variant]).sum())
                   for actual, expected in self.read)


def bus_factor(operation, ranks):
    others = (ranks - 1) / ranks
    return {"allreduce": 2 * others, "allgather": others, "barrier": 0}.get(operation, 1)


def combined(operation, size, times):
    """Each iteration's time from its ranks' times."""
    times = torch.tensor(times, dtype=torch.float64)
    if operation == "pingpong":
        times = times / 2 if dist.get_rank() == 0 else torch.zeros_like(times)
        dist.all_reduce(times)
    elif size <= MEAN_UP_TO:
        dist.all_reduce(times)
        times /= dist.get_world_size()
    else:
        dist.all_reduce(times, dist.ReduceOp.MAX)
    return times.tolist()


def iterations_for(size):
    return 1000 if size <= 64 << 10 else 200 if size <= 1 << 20 else 50 if size <= 16 << 20 else 11


def measure(operation, size):
    ranks = dist.get_world_size()
    unit = ranks if operation == "allgather" else 1
    count = 0 if operation == "barrier" else -(-max(1, size // 4) // unit) * unit
    work = Work(operation, count)
    measured = iterations_for(size)
    times, errors = [], 0
    for i in range(-max(3, measured // 5), measured):
        variant = i % VARIANTS
        for tensor, values in work.written:
            tensor.copy_(values[variant])
        dist.barrier()
        begin = time.perf_counter_ns()
        work.run()
        end = time.perf_counter_ns()
        errors += work.errors(variant)
        if i >= 0:
            times.append((end - begin) * 1e-3)
    wrong = torch.tensor([errors])
    dist.all_reduce(wrong)
    times = combined(operation, count * 4, times)
    median = statistics.median(times)
    algbw = count * 4 / median * 1e-3
    return {"operation": operation, "algorithm": "library", "backend": "gloo-pytorch", "ranks": ranks,
            "bytes": count * 4, "type": "f32", "registered": False, "in_place": operation in ("allreduce", "broadcast"),
            "microseconds": {"min": min(times), "median": median, "max": max(times)}, "algbw": algbw,
            "busbw": algbw * bus_factor(operation, ranks), "errors": int(wrong)}


def main():
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    results = [measure(sys.argv[1], int(size)) for size in sys.argv[2].split(",")]
    if dist.get_rank() == 0:
        print(json.dumps(results), flush=True)
    dist.barrier()
    dist.destroy_process_group()
    sys.exit(any(result["errors"] for result in results))


if __name__ == "__main__":
    main()
