"""Ranks of native-src/test/faults/random_rank.cc as processes that can be watched, stopped and killed one by one."""

import glob
import mmap
import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NETLAB = str(HERE / "netlab")
PROGRAM = HERE.parents[1] / "build/release/bin/random_rank"
OPERATIONS = {0: "send", 2: "broadcast", 3: "scatter", 4: "gather", 5: "all-gather", 6: "reduce", 7: "reduce-scatter",
              8: "all-reduce", 9: "all-to-all", 10: "barrier", 11: "split"}
CODES = {0: "OK", 3: "WRONG RESULT", 4: "LIVES ON", 11: "INVALID_ARGUMENT", 12: "CLOSED", 13: "PEER_FAILED", 14: "TIMEOUT",
         15: "MISMATCH", 16: "RENDEZVOUS", 17: "UNAVAILABLE", 18: "SYSTEM"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def changed_at(path):
    try:
        return os.stat(path).st_ctime
    except FileNotFoundError:
        return 0  # it has gone meanwhile


class Rank:
    """One process, with the words of progress.h that it maps."""

    def __init__(self, number, command, environment, folder):
        self.number = number
        path = pathlib.Path(folder) / f"progress-{number}"
        path.write_bytes(bytes(16))
        self._output = open(pathlib.Path(folder) / f"output-{number}", "w+")
        with open(path, "r+b") as file:
            self._words = mmap.mmap(file.fileno(), 16)
        self.process = subprocess.Popen([*command, "--progress", str(path)], env=environment, stdin=subprocess.DEVNULL,
                                        stdout=self._output, stderr=subprocess.STDOUT)
        self.ended = None  # when

    def place(self):
        """Round, operation and whether the rank is inside it."""
        word = int.from_bytes(self._words[0:8], "little")
        return word >> 16, OPERATIONS[word >> 8 & 255], bool(word & 1)

    def ask_to_end(self):
        self._words[8:16] = (1).to_bytes(8, "little")

    def has_ended(self):
        if self.ended is None and self.process.poll() is not None:
            self.ended = time.monotonic()
        return self.ended is not None

    def signal(self, number):
        if not self.has_ended():
            self.process.send_signal(number)

    def stop(self):
        """@return whether it is stopped; false where it has ended"""
        self.signal(signal.SIGSTOP)
        while not self.has_ended():
            state = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state == "T":
                return True
            time.sleep(0.0002)
        return False

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.has_ended()

    def outcome(self):
        code = self.process.returncode
        return CODES.get(code, f"exit code {code}")

    def output(self):
        self._output.flush()
        return pathlib.Path(self._output.name).read_text(errors="replace").strip()

    def named(self):
        """The rank that its error names, or None."""
        found = re.search(r"^ERROR \d+ rank (\d+) ", self.output(), re.M)
        return int(found[1]) if found else None

    def close(self):
        self.kill()
        self._output.close()
        self._words.close()


class Group:
    """All ranks of one group. hosts[r] is the host of rank r; in the lab where there is one, otherwise by name only."""

    def __init__(self, transport, hosts, options, lab=None, program=PROGRAM):
        self._began = time.time()
        self.token = secrets.token_hex(16)
        self.label = "faults" + self.token[:8]
        self._folder = tempfile.TemporaryDirectory(prefix="lockstep-ranks-")
        environment = dict(os.environ, WORLD_SIZE=str(len(hosts)), LOCKSTEP_TOKEN=self.token,
                           MASTER_ADDR="10.77.0.1" if lab else "127.0.0.1", MASTER_PORT=str(free_port()))
        self.ranks = []
        for rank, host in enumerate(hosts):
            own = dict(environment, RANK=str(rank))
            if transport == "hierarchical":
                own["LOCKSTEP_HOST"] = f"{self.label}-{host}"
            command = [str(program), transport, "--label", self.label]
            for name, value in options.items():
                command += [f"--{name}", str(value)]
            if lab:
                command = [NETLAB, "exec", lab, str(host), *command]
            self.ranks.append(Rank(rank, command, own, self._folder.name))

    def wait_until(self, condition, seconds):
        limit = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > limit:
                return False
            time.sleep(0.002)
        return True

    def leftovers(self):
        """Processes and files of this group that are left."""
        # Names of segments live for milliseconds; those of sub-groups carry no label.
        paths = [*glob.glob(f"/dev/shm/lockstep-{self.label}-*"), *glob.glob("/dev/shm/lockstep-split-*")]
        suspects = [path for path in paths if changed_at(path) >= self._began]
        if suspects:
            time.sleep(2)
        left = [path for path in suspects if changed_at(path)]
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                if self.token.encode() in pathlib.Path(path).read_bytes():
                    left.append(f"process {path.split('/')[2]}")
            except OSError:
                continue  # it has ended meanwhile
        return left

    def close(self):
        for rank in self.ranks:
            rank.close()
        self._folder.cleanup()
