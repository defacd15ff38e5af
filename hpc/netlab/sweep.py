#!/usr/bin/env python3
"""All-reduce between hosts: Lockstep over TCP and its peers in a lab, next to what one plain TCP stream carries there.

    sudo python3 hpc/netlab/sweep.py [--hosts 4] [--per-host 1] [--rounds 3] [--sizes 4096,…] [--link "--rate 1gbit --delay 5ms"]
        [--ranks "NAME=COMMAND"]… [--mpirun "NAME=COMMAND"]… [--json FILE]

A contestant is a command that prints, on rank 0, the JSON array of `lockstep bench --json`; {sizes} in it becomes the list
of sizes. --ranks starts it once a host with RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, --mpirun by Open MPI's mpirun.
Without either, the contestants are those below, as far as they are built and installed. With several ranks a host they are
Lockstep's two levels and Open MPI's coll/han, and the stream is shared out: a host's links carry each vector once, so the share is
that of the vector's bytes, 2 (H - 1) / H times, in the time of the operation. They take turns; a figure is the
median over the rounds of the medians of each; the share of the stream is taken round by round.
"""
import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NETLAB = str(HERE / "netlab")
BENCHMARK = ROOT / "build/release/bin/tcp_all_reduce_benchmark"
PEERS = ROOT / "benchmarks/peers"
SIZES = "4096,65536,1048576,16777216,67108864"
MPIRUN = ["mpirun", "--allow-run-as-root", "--mca", "plm_rsh_agent", str(HERE / "rsh.sh"),
          "--mca", "btl_tcp_if_include", "eth0", "--mca", "oob_tcp_if_include", "eth0"]
# Two levels, as Lockstep has: vader within a host; waiting ranks give their core away, since there are more of them than cores.
HAN = ["--mca", "btl", "tcp,self,vader", "--mca", "coll_han_priority", "100", "--mca", "mpi_yield_when_idle", "1"]
LIMIT_SECONDS = 900


def default_contestants(per_host):
    found = []
    mpi = ROOT / "build/peers/collectives_mpi"
    if per_host > 1:
        if BENCHMARK.exists():
            found.append(("Lockstep", "ranks", f"{BENCHMARK} --two-level yes --sizes {{sizes}} --json -"))
        if mpi.exists():
            found.append(("Open MPI, han", "mpirun", f"{mpi} openmpi allreduce 0 {{sizes}}"))  # in place it crashes
        return found
    if BENCHMARK.exists():
        found.append(("Lockstep", "ranks", f"{BENCHMARK} --sizes {{sizes}} --json -"))
    if mpi.exists():
        found.append(("Open MPI", "mpirun", f"{mpi} openmpi allreduce 1 {{sizes}}"))
    torch = PEERS / "collectives_torch.py"
    if torch.exists() and subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode == 0:
        found.append(("Gloo", "ranks", f"{sys.executable} {torch} allreduce {{sizes}}"))
    return found


def output_of(command, **environment):
    own = dict(os.environ, OMP_NUM_THREADS="1", **environment)
    own.pop("OPENBLAS_CORETYPE", None)
    done = subprocess.run(command, env=own, text=True, capture_output=True, timeout=LIMIT_SECONDS)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def measure(lab, hosts, per_host, contestant, sizes):
    """One run's results, a dictionary by size."""
    _, launcher, command = contestant
    words = shlex.split(command.replace("{sizes}", sizes))
    if launcher == "ranks":
        lines = output_of([NETLAB, "run", lab, "--per-host", str(per_host), "--timeout", str(LIMIT_SECONDS), *words],
                          GLOO_SOCKET_IFNAME="eth0")
        text = "\n".join(line[4:] for line in lines.splitlines() if line.startswith("[0] "))
    else:
        addresses = ",".join(f"10.77.0.{host + 1}:{per_host}" for host in range(hosts))
        levels = HAN if per_host > 1 else ["--mca", "btl", "tcp,self"]
        text = output_of([NETLAB, "exec", lab, "0", *MPIRUN, *levels, "--host", addresses, "-n", str(hosts * per_host), *words],
                         NETLAB=lab)
    results = json.loads(text[text.index("["):])
    wrong = sum(result["errors"] for result in results)
    if wrong:
        sys.exit(f"{command}: {wrong} wrong elements")
    for result in results:  # what a host's link carries
        result["busbw"] = result["algbw"] * 2 * (hosts - 1) / hosts
    return {result["bytes"]: result for result in results}


def stream(lab):
    return float(output_of([NETLAB, "stream", lab, "--seconds", "4"]))


def span(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} – {max(values):{form}})"


def table(rounds, contestants):
    print(f"One plain TCP stream: {span([r['stream'] for r in rounds], '.1f')} Mbit/s\n")
    print("| bytes | contestant | ms | busbw, Mbit/s | % of the stream | time ÷ Lockstep's |")
    print("|---|---|---|---|---|---|")
    first = contestants[0][0]
    for size in rounds[0][first]:
        for name, _, _ in contestants:
            runs = [(r[name][size], r["stream"], r[first][size]) for r in rounds if size in r[name]]
            if not runs:
                continue
            milliseconds = [run["microseconds"]["median"] / 1e3 for run, _, _ in runs]
            busbw = [run["busbw"] * 8e3 for run, _, _ in runs]
            share = [100 * bus / carried for bus, (_, carried, _) in zip(busbw, runs)]
            ratio = [run["microseconds"]["median"] / own["microseconds"]["median"] for run, _, own in runs]
            print(f"| {size} | {name} | {span(milliseconds, '.2f')} | {span(busbw, '.0f')} | {span(share, '.1f')} | "
                  f"{span(ratio, '.2f')} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--per-host", type=int, default=1, help="ranks on each host")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--link", default="", help="link options of netlab up")
    parser.add_argument("--lab", default="sweep")
    parser.add_argument("--ranks", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--mpirun", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--json", type=pathlib.Path, help="all rounds, as they were measured")
    options = parser.parse_args()
    contestants = [(*text.split("=", 1)[:1], "ranks", text.split("=", 1)[1]) for text in options.ranks]
    contestants += [(*text.split("=", 1)[:1], "mpirun", text.split("=", 1)[1]) for text in options.mpirun]
    contestants = contestants or default_contestants(options.per_host)
    if not contestants:
        sys.exit(f"There is nothing to measure: build {BENCHMARK.name}, or name contestants.")
    output_of([NETLAB, "up", options.lab, str(options.hosts), *shlex.split(options.link)])
    try:
        rounds = []
        for _ in range(options.rounds):
            rounds.append({"stream": stream(options.lab)})
            for contestant in contestants:
                rounds[-1][contestant[0]] = measure(options.lab, options.hosts, options.per_host, contestant, options.sizes)
    finally:
        output_of([NETLAB, "down", options.lab])
    table(rounds, contestants)
    if options.json:
        options.json.write_text(json.dumps(rounds, indent=1))


if __name__ == "__main__":
    main()
