#!/usr/bin/env python3
"""Hours of mixed collectives in minutes: whether ranks keep their memory, descriptors and pace.

    python3 hpc/netlab/soak.py [--transports shared-memory,tcp,hierarchical] [--ranks 4] [--seconds 600] [--limit-mib 4]
        [--seed 1] [--rank PROGRAM]

Runs random_rank (random operations, every result checked) over each transport in turn and looks every few seconds at each
rank's resident memory, its file descriptors and what /dev/shm holds. The first fifth is warm-up. Fails where a rank has
grown by more than the limit, gained descriptors, or a result was wrong. The pace in thirds of the time shows drift.
"""
import argparse
import os
import pathlib
import statistics
import sys
import time

from rank_processes import PROGRAM, Group

SAMPLE_SECONDS = 2
WARM_UP = 0.2
SPARE_FILES = 8  # of one more handshake in a sample


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ValueError(f"process {pid} has no memory")


def shared_kib():
    system = os.statvfs("/dev/shm")
    return (system.f_blocks - system.f_bfree) * system.f_frsize >> 10


def sample(group, began):
    pids = [rank.process.pid for rank in group.ranks]
    return {"seconds": time.monotonic() - began, "resident": [resident_kib(pid) for pid in pids],
            "files": [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids], "shared": shared_kib(),
            "round": group.ranks[0].place()[0]}


def slope(xs, ys):
    """Of the straight line that fits best (least squares)."""
    x_mean, y_mean = statistics.fmean(xs), statistics.fmean(ys)
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys)) / sum((x - x_mean) ** 2 for x in xs)


def watch(group, seconds):
    if not group.wait_until(lambda: all(rank.place()[0] > 0 for rank in group.ranks), 60):
        raise SystemExit("The group was not formed: " + "; ".join(rank.output() for rank in group.ranks))
    began = time.monotonic()
    samples = []
    while time.monotonic() < began + seconds and not any(rank.has_ended() for rank in group.ranks):
        samples.append(sample(group, began))
        time.sleep(SAMPLE_SECONDS)
    for rank in group.ranks:
        rank.ask_to_end()
    group.wait_until(lambda: all([rank.has_ended() for rank in group.ranks]), 60)
    return samples


def report(transport, group, samples, limit_kib):
    """@return what is wrong, in words"""
    wrong = [f"rank {rank.number} ended with {rank.outcome()}: {rank.output()}" for rank in group.ranks
             if rank.outcome() != "OK"]
    steady = [one for one in samples if one["seconds"] >= WARM_UP * samples[-1]["seconds"]]
    tail = max(len(steady) // 5, 1)
    for number in range(len(group.ranks)):
        resident = [one["resident"][number] for one in steady]
        files = [one["files"][number] for one in steady]  # many more inside a split, so the most says it
        before, after = statistics.median(resident[:tail]), statistics.median(resident[-tail:])
        per_minute = slope([one["seconds"] / 60 for one in steady], resident)
        print(f"| {transport} | {number} | {before / 1024:.2f} | {after / 1024:.2f} | {per_minute:+.1f} | "
              f"{max(files[:tail])} | {max(files[-tail:])} |")
        if after - before > limit_kib:
            wrong.append(f"rank {number} grew by {after - before:.0f} KiB")
        if max(files[-tail:]) > max(files[:tail]) + SPARE_FILES:
            wrong.append(f"rank {number} gained descriptors")
    third = samples[-1]["seconds"] / 3
    marks = [min(samples, key=lambda one, at=at: abs(one["seconds"] - at * third)) for at in range(4)]
    pace = [(b["round"] - a["round"]) / (b["seconds"] - a["seconds"]) for a, b in zip(marks, marks[1:])]
    shared = [one["shared"] for one in steady]
    print(f"\n{transport}: {samples[-1]['round']} operations in {samples[-1]['seconds']:.0f} s, "
          f"{' / '.join(f'{one:.0f}' for one in pace)} a second in its thirds; /dev/shm "
          f"{statistics.median(shared[:tail]) / 1024:.1f} MiB, at the end {statistics.median(shared[-tail:]) / 1024:.1f}\n",
          flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transports", default="shared-memory,tcp")
    parser.add_argument("--ranks", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=600, help="for each transport")
    parser.add_argument("--limit-mib", type=float, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rank", type=pathlib.Path, default=PROGRAM)
    options = parser.parse_args()
    wrong = []
    print("| transport | rank | RSS after warm-up, MiB | at the end | slope, KiB a minute | most descriptors | at the end |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for transport in options.transports.split(","):
        hosts = [rank // 2 if transport == "hierarchical" else 0 for rank in range(options.ranks)]
        group = Group(transport, hosts, {"seed": options.seed, "timeout": 60}, program=options.rank)
        try:
            samples = watch(group, options.seconds)
            wrong += report(transport, group, samples, options.limit_mib * 1024)
        finally:
            for rank in group.ranks:
                rank.kill()
            wrong += [f"left behind: {left}" for left in group.leftovers()]
            group.close()
    for fault in wrong:
        print(f"WRONG: {fault}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
