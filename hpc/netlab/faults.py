#!/usr/bin/env python3
"""Faults in the middle of collectives: a rank is killed or stopped, its link is cut, lossy and slow, or reorders.

    sudo python3 hpc/netlab/faults.py [--runs 200] [--seed 1] [--jobs 2] [--only kill,stop,cut,loss,reorder,none]
        [--operation all-reduce] [--without-lab] [--timeout SECONDS] [--rank PROGRAM]

Each run is drawn from its seed alone: transport, ranks, fault, victim and the operation in whose middle the fault comes.
The ranks (random_rank) run random operations without end and check every result. The victim is stopped inside the
operation, which is when the fault is made. Survivors must end within the deadline, by PEER_FAILED or TIMEOUT that names
the victim (or a rank that names it in turn; groups of two levels do so for sure where a rank died); after what does no harm, all must go on to the right results. No process and
no file in /dev/shm may be left. Without root, or without ip, there is no lab: what needs links is left out, and said so.
`--seed N --runs 1` repeats run N.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import queue
import random
import signal
import statistics
import subprocess
import sys
import time

from rank_processes import NETLAB, OPERATIONS, PROGRAM, Group

FAULTS = {"none": 1, "kill": 4, "stop": 4, "cut": 4, "loss": 3, "reorder": 3}  # and how often
NEEDS_LINKS = {"cut", "loss", "reorder"}
IS_DEADLY = {"kill", "stop", "cut"}
LINKS = {"loss": ["--delay", "200ms", "--loss", "5%"], "reorder": ["--delay", "5ms", "--jitter", "4ms", "--reorder", "25%"]}
LAB_HOSTS = 5
JOIN_SECONDS = 60
FIND_SECONDS = 60  # until the victim is caught inside the operation
SLACK_SECONDS = 5  # for a machine with fewer cores than ranks
NOTHING_TO_DO = 77  # exit code: skipped
GOES_ON_ROUNDS = 6  # after a fault that does no harm


class Failed(Exception):
    pass


class Plan:
    """What a run does; all of it follows from the seed and the faults to choose from."""

    def __init__(self, seed, faults, has_lab, operation=None):
        draw = random.Random(seed)
        self.seed = seed
        self.fault = draw.choices(faults, [FAULTS[fault] for fault in faults])[0]
        self.transport = draw.choice(["tcp", "hierarchical"] + ["shared-memory"] * (self.fault not in NEEDS_LINKS))
        ranks = draw.randint(3 if self.transport == "hierarchical" else 2, 5)
        self.hosts = list(range(ranks))
        if self.transport == "shared-memory":
            self.hosts = [0] * ranks
        elif self.transport == "hierarchical":
            hosts = draw.randint(2, ranks - 1)
            self.hosts = sorted([*range(hosts), *(draw.randrange(hosts) for _ in range(ranks - hosts))])
        self.in_lab = has_lab and self.transport != "shared-memory"
        self.victim = draw.randrange(ranks)
        self.operation = operation or draw.choice(list(OPERATIONS.values()))
        self.first_round = draw.randint(1, 60)
        self.moment = draw.random() ** 3 * 0.003
        self.is_woken = draw.random() < 0.5

    def __str__(self):
        return (f"seed {self.seed}: {self.transport}, hosts {self.hosts}, {self.fault} of rank {self.victim} in {self.operation}"
                f"{' (woken after)' if self.fault == 'stop' and self.is_woken else ''}")


def netlab(*words):
    # No pipe: the relay that shape starts would keep it open.
    done = subprocess.run([NETLAB, *map(str, words)], stdin=subprocess.DEVNULL, timeout=60)
    if done.returncode != 0:
        raise Failed(f"netlab {' '.join(map(str, words))} ended with {done.returncode}")


def strike(group, plan, lab):
    """Makes the fault while the victim is inside the operation. @return when, and in which round"""
    victim = group.ranks[plan.victim]
    host = plan.hosts[plan.victim]
    limit = time.monotonic() + FIND_SECONDS

    def is_inside():
        round_number, operation, inside = victim.place()
        return inside and operation == plan.operation and round_number >= plan.first_round

    while True:
        if any(rank.has_ended() for rank in group.ranks):
            raise Failed("a rank has ended before the fault")
        if time.monotonic() > limit:
            raise Failed(f"the victim was never caught inside {plan.operation}")
        if not is_inside():
            time.sleep(0.0001)
            continue
        time.sleep(plan.moment)
        if victim.stop() and is_inside():
            break
        victim.signal(signal.SIGCONT)
    if plan.fault == "kill":
        victim.kill()
    elif plan.fault == "cut":
        netlab("cut", lab, host)
    elif plan.fault in LINKS:
        netlab("shape", lab, host, *LINKS[plan.fault])
    if plan.fault not in ("kill", "stop"):
        victim.signal(signal.SIGCONT)
    return time.monotonic(), victim.place()[0]


def wait_for_ends(group, plan, round_number, timeout):
    """@return the ranks that are to end by themselves"""
    survivors = [rank for rank in group.ranks if plan.fault not in ("kill", "stop") or rank.number != plan.victim]
    if plan.fault in IS_DEADLY:
        limit = timeout + SLACK_SECONDS
    else:
        limit = JOIN_SECONDS + timeout
        group.wait_until(lambda: any(rank.has_ended() or rank.place()[0] > round_number + GOES_ON_ROUNDS
                                     for rank in group.ranks), 20 * timeout)
        for rank in group.ranks:
            rank.ask_to_end()
    group.wait_until(lambda: all([rank.has_ended() for rank in survivors]), limit)
    for rank in survivors:
        if not rank.has_ended():
            raise Failed(f"rank {rank.number} is still {rank.place()} {limit:.0f} s after the fault")
    if plan.fault == "stop" and plan.is_woken:
        victim = group.ranks[plan.victim]
        victim.signal(signal.SIGCONT)
        if not group.wait_until(victim.has_ended, timeout + SLACK_SECONDS):
            raise Failed("the victim hangs after it was woken")
        if victim.outcome() not in ("PEER_FAILED", "TIMEOUT"):
            raise Failed(f"the victim, woken, ended with {victim.outcome()}")
    return survivors


def leads_to(rank, group, culprits):
    """Whether a rank's error names a culprit, or a rank whose error does, and so on."""
    seen = set()
    number = rank.named()
    while number is not None and number not in seen:
        if number in culprits:
            return True
        seen.add(number)
        number = group.ranks[number].named()
    return False


def check_ends(group, plan, survivors):
    """@return how many survivors name a culprit themselves"""
    allowed = {"kill": ["PEER_FAILED"], "stop": ["TIMEOUT", "PEER_FAILED"], "cut": ["TIMEOUT", "PEER_FAILED"],
               "loss": ["OK", "TIMEOUT", "PEER_FAILED"], "reorder": ["OK"], "none": ["OK"]}[plan.fault]
    culprits = {plan.victim}
    if plan.fault == "cut":
        host = plan.hosts[plan.victim]
        culprits = {number for number, other in enumerate(plan.hosts) if other == host}
    direct = 0
    for rank in survivors:
        if rank.outcome() not in allowed:
            raise Failed(f"rank {rank.number} ended with {rank.outcome()}")
        if plan.fault in IS_DEADLY and rank.number not in culprits:
            direct += rank.named() in culprits
            # Of two levels, each knows who waits for whom on it alone.
            if not leads_to(rank, group, culprits) and (plan.transport != "hierarchical" or plan.fault == "kill"):
                raise Failed(f"rank {rank.number} does not lead to rank {plan.victim}")
    return direct


def run(plan, lab, options):
    """@return a dictionary of what happened"""
    result = {"plan": plan, "failure": None, "seconds": 0.0, "outcomes": [], "direct": 0}
    group = Group(plan.transport, plan.hosts, {"seed": plan.seed, "timeout": options.timeout, "join": JOIN_SECONDS},
                  lab if plan.in_lab else None, options.rank)
    try:
        joined = group.wait_until(lambda: all(rank.place()[0] > 0 or rank.has_ended() for rank in group.ranks), JOIN_SECONDS)
        if not joined or any(rank.has_ended() for rank in group.ranks):
            raise Failed("the group was not formed")
        began, round_number = strike(group, plan, lab)
        survivors = wait_for_ends(group, plan, round_number, options.timeout)
        result["seconds"] = max(rank.ended for rank in survivors) - began
        result["outcomes"] = [rank.outcome() for rank in survivors]
        result["direct"] = check_ends(group, plan, survivors)
    except Failed as failure:
        places = "".join(f"\n    rank {rank.number} {rank.place()}: {rank.output() or '(runs)'}" for rank in group.ranks)
        result["failure"] = f"{failure}{places}"
    finally:
        for rank in group.ranks:
            rank.kill()
        left = group.leftovers()
        group.close()
        if plan.in_lab and plan.fault == "cut":
            netlab("restore", lab, plan.hosts[plan.victim])
        elif plan.in_lab and plan.fault in LINKS:
            netlab("shape", lab, plan.hosts[plan.victim])
    if left:
        result["failure"] = f"{result['failure'] or ''} left behind: {', '.join(left)}"
        for path in left:
            if group.label in path:  # other names may be those of other jobs after all
                os.unlink(path)
    return result


def line_of(result):
    counts = collections.Counter(result["outcomes"])
    ends = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    verdict = f"FAILED: {result['failure']}" if result["failure"] else f"{ends} after {result['seconds']:.1f} s"
    return f"{result['plan']}: {verdict}"


def summarise(results):
    print("\n| fault | runs | survivors' ends | seconds after the fault, median (most) | failed |\n|---|---|---|---|---|")
    for fault in FAULTS:
        some = [result for result in results if result["plan"].fault == fault]
        if not some:
            continue
        ends = collections.Counter(outcome for result in some for outcome in result["outcomes"])
        seconds = [result["seconds"] for result in some]
        direct = f"; {sum(result['direct'] for result in some)} name the victim themselves" if fault in IS_DEADLY else ""
        print(f"| {fault} | {len(some)} | {', '.join(f'{n} {end}' for end, n in ends.most_common())}{direct} | "
              f"{statistics.median(seconds):.1f} ({max(seconds):.1f}) | {sum(bool(result['failure']) for result in some)} |")
    failed = [result["plan"].seed for result in results if result["failure"]]
    print(f"\n{len(results)} runs, {len(failed)} failed{': seeds ' + ', '.join(map(str, failed)) if failed else ''}")
    return 1 if failed else 0


def reason_against_lab(options):
    if options.without_lab:
        return "as asked"
    check = subprocess.run([NETLAB, "check"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60)
    return None if check.returncode == 0 else check.stderr.strip().removeprefix("netlab: ")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each in a lab of its own")
    parser.add_argument("--only", default=",".join(FAULTS), help="faults to choose from")
    parser.add_argument("--operation", choices=OPERATIONS.values(), help="the only one in whose middle faults come")
    parser.add_argument("--without-lab", action="store_true")
    parser.add_argument("--timeout", type=int, default=5, help="deadline of each operation, seconds")
    parser.add_argument("--rank", type=pathlib.Path, default=PROGRAM)
    options = parser.parse_args()
    faults = [fault for fault in FAULTS if fault in options.only.split(",")]
    reason = reason_against_lab(options)
    if reason:
        print(f"No lab ({reason}): left out are {', '.join(sorted(NEEDS_LINKS & set(faults))) or 'no faults'}.", flush=True)
        faults = [fault for fault in faults if fault not in NEEDS_LINKS]
    if not faults:
        sys.exit(NOTHING_TO_DO)
    labs = queue.Queue()
    names = [f"faults{os.getpid() % 100000}{chr(ord('a') + job)}" for job in range(options.jobs)]

    def work(seed):
        lab = labs.get()
        try:
            result = run(Plan(seed, faults, reason is None, options.operation), lab, options)
        finally:
            labs.put(lab)
        print(line_of(result), flush=True)
        return result

    pool = concurrent.futures.ThreadPoolExecutor(options.jobs)
    try:
        for name in names:
            if not reason:
                netlab("up", name, LAB_HOSTS)
            labs.put(name)
        results = list(pool.map(work, range(options.seed, options.seed + options.runs)))
    finally:
        pool.shutdown(cancel_futures=True)  # waits for the runs that have begun
        for name in [] if reason else names:
            netlab("down", name)
    sys.exit(summarise(results))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
