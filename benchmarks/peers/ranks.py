"""Starts the ranks of a contestant, pinned alike for all: rank r to core r modulo the cores of this machine."""
import os
import secrets
import signal
import socket
import subprocess

CORES = sorted(os.sched_getaffinity(0))
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
OPEN_MPI_AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def class_path(root):
    """The benchmarks and the modules as they are built in the repository at root."""
    older = root / "java/target"  # before there were modules
    folders = [older / "classes", older / "lib/*"] if (older / "classes/dev").exists() else \
        [*sorted(root.glob("java/*/target/classes")), root / "java/cli/target/lib/*"]
    return ":".join(map(str, [root / "benchmarks/target/classes", *folders]))


class Failed(Exception):
    """A contestant that did not end with exit code 0 in time; the text says how."""


def environment(**more):
    # A core type that a machine forces on OpenBLAS slows everyone down and measures nobody.
    inherited = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    return dict(inherited, **ONE_THREAD, **more)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(processes, command, limit):
    """Rank 0's (or mpirun's) standard output."""
    try:
        outputs = [process.communicate(timeout=limit) for process in processes]
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(command)} took longer than {limit} s") from None
    finally:
        for process in processes:
            if process.poll() is None:  # its own session: children of mpirun or of a script go with it
                os.killpg(process.pid, signal.SIGKILL)
    for process, (out, err) in zip(processes, outputs):
        if process.returncode != 0:
            raise Failed(f"{' '.join(command)} ended with {process.returncode}: {(out + err).strip()[-2000:]}")
    return outputs[0][0]


def start(command, own):
    return subprocess.Popen(command, env=own, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True)


def by_environment(command, ranks, limit=300):
    """Ranks that find each other by RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT."""
    shared = environment(WORLD_SIZE=str(ranks), LOCAL_WORLD_SIZE=str(ranks), MASTER_ADDR="127.0.0.1",
                         MASTER_PORT=str(free_port()), LOCKSTEP_TOKEN=secrets.token_hex(16))
    processes = [start(["taskset", "-c", str(CORES[rank % len(CORES)]), *command],
                       dict(shared, RANK=str(rank), LOCAL_RANK=str(rank))) for rank in range(ranks)]
    return wait(processes, command, limit)


def by_mpirun(library, command, ranks, limit=300):
    """Ranks of `openmpi` or `mpich`; with more ranks than cores, Open MPI yields when idle."""
    pin = 'cores=(%s); exec taskset -c ${cores[${OMPI_COMM_WORLD_RANK:-$PMI_RANK} %% %d]} "$@"' % (
        " ".join(map(str, CORES)), len(CORES))
    launcher = [f"mpirun.{library}", "-n", str(ranks)]
    if library == "openmpi":
        launcher += ["--bind-to", "none"]
        if ranks > len(CORES):
            launcher += ["--oversubscribe", "--mca", "mpi_yield_when_idle", "1"]
    else:
        launcher += ["-bind-to", "none"]
    whole = [*launcher, "bash", "-c", pin, "pinned", *command]
    return wait([start(whole, environment(**OPEN_MPI_AS_ROOT))], whole, limit)
