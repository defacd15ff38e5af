package dev.lockstep.cli;

import dev.lockstep.LockstepException;
import dev.lockstep.comm.BackendUnavailableException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.LaunchEnvironment;
import dev.lockstep.comm.MpiLibrary;
import dev.lockstep.comm.MpiPlugin;
import dev.lockstep.files.FreeSpace;
import dev.lockstep.natives.NativeCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code lockstep doctor}: what works on this machine, and what would be used here. */
@Command(
    name = "doctor",
    description =
        "Say what works on this machine: JDK, libtorch, MPI, threads, shared memory, cache, and what"
            + " each backend would do here.")
final class DoctorCommand implements Callable<Integer> {
  /** File systems that are on other machines: slow to load libraries from, and contended. */
  private static final List<String> REMOTE =
      List.of("nfs", "lustre", "beegfs", "gpfs", "ceph", "cifs", "smb", "fuse.sshfs", "9p");

  private static final double GIB = 1L << 30;
  private static final String LIBTORCH_GLIBC = "2.35";
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");

  /** What two ranks need to meet and to train a model of some million parameters. */
  private static final long LEAST_SHARED_MEMORY = 64L << 20;

  private boolean healthy = true;

  @Override
  public Integer call() {
    ok("lockstep", Version.lockstep());
    ok(
        "JDK",
        System.getProperty("java.runtime.version") + " at " + System.getProperty("java.home"));
    glibc();
    ok("cores", Runtime.getRuntime().availableProcessors() + " for this process");
    cache();
    LibraryProbe.Result libtorch = LibraryProbe.libtorch();
    line(libtorch.loaded(), "libtorch", libtorch.text());
    healthy &= libtorch.loaded();
    sharedMemory();
    backends();
    return healthy ? ExitCode.OK : ExitCode.UNHEALTHY;
  }

  private void cache() {
    Path folder = NativeCache.folder();
    String type = typeOfDisk(folder);
    String text =
        String.format(
            Locale.ROOT,
            "%s on %s, %.1f GiB free",
            folder,
            type.isEmpty() ? "an unknown kind of disk" : type,
            FreeSpace.of(folder) / GIB);
    boolean remote = REMOTE.stream().anyMatch(type::startsWith);
    line(
        !remote,
        "cache",
        remote ? text + "; set LOCKSTEP_CACHE to a folder on a disk of this node" : text);
    if (!Files.isWritable(folder)) {
      line(false, "cache", folder + " cannot be written; LOCKSTEP_CACHE names another folder");
      healthy = false;
    }
  }

  /** Such as ext4; empty where the table of mounts lacks the disk, as inside of a chroot. */
  private static String typeOfDisk(Path folder) {
    try {
      return Files.getFileStore(folder).type();
    } catch (IOException e) {
      return "";
    }
  }

  /** libtorch's binaries need glibc 2.35: Debian 12, Ubuntu 22.04, RHEL 10. */
  private void glibc() {
    String version = LibraryProbe.glibc();
    if (version.isEmpty()) {
      line(false, "glibc", "none found (musl?); libtorch needs glibc " + LIBTORCH_GLIBC);
      return;
    }
    boolean enough =
        Runtime.Version.parse(version.replaceFirst("^0+", ""))
                .compareTo(Runtime.Version.parse(LIBTORCH_GLIBC))
            >= 0;
    line(enough, "glibc", version + "; libtorch needs " + LIBTORCH_GLIBC);
  }

  private void sharedMemory() {
    if (FreeSpace.total(SHARED_MEMORY) == 0) {
      line(false, "shared memory", SHARED_MEMORY + " is not there");
      return;
    }
    long free = FreeSpace.of(SHARED_MEMORY);
    line(
        free >= LEAST_SHARED_MEMORY,
        "shared memory",
        String.format(
            Locale.ROOT,
            "%.1f GiB at %s, %.1f GiB free",
            FreeSpace.total(SHARED_MEMORY) / GIB,
            SHARED_MEMORY,
            free / GIB));
  }

  private void backends() {
    ok("backend single", "a group of one; always works");
    backendOfSharedMemory();
    ok("backend tcp", "works; under `lockstep launch`, srun, or RANK, WORLD_SIZE, MASTER_ADDR");
    LibraryProbe.Result gloo = LibraryProbe.gloo();
    line(gloo.loaded(), "backend gloo", gloo.text());
    for (MpiLibrary library : MpiLibrary.values()) {
      String topic = "backend mpi";
      try {
        LibraryProbe.Result plugin = LibraryProbe.library(MpiPlugin.path(library));
        line(
            plugin.loaded(),
            topic,
            library.title() + ": " + plugin.text() + LibraryProbe.launcher(library));
      } catch (BackendUnavailableException e) {
        line(false, topic, LockstepException.messageOf(e));
      }
    }
    try {
      LaunchEnvironment here = LaunchEnvironment.current();
      String library = here.mpi() == null ? "" : " of " + here.mpi().title();
      ok(
          "launched here",
          String.format(
              Locale.ROOT,
              "as rank %d of %d, backend %s%s",
              here.rank(),
              here.worldSize(),
              here.backend().name(),
              library));
    } catch (CommunicationException e) {
      line(false, "launched here", LockstepException.messageOf(e));
      healthy = false;
    }
  }

  private void backendOfSharedMemory() {
    String topic = "backend shared_memory";
    if (FreeSpace.total(SHARED_MEMORY) == 0) {
      line(false, topic, SHARED_MEMORY + " is not there");
      return;
    }
    long free = FreeSpace.of(SHARED_MEMORY);
    boolean enough = free >= LEAST_SHARED_MEMORY;
    line(
        enough,
        topic,
        enough
            ? String.format(
                Locale.ROOT,
                "works between ranks of this host; fused training fits models up to some %,d million"
                    + " parameters on two ranks (Adam, float32)",
                free / (Float.BYTES * 5) / 1_000_000)
            : "less than 64 MiB are free in /dev/shm; enlarge it (docker run --shm-size=1g) or use tcp");
  }

  private void ok(String topic, String text) {
    line(true, topic, text);
  }

  private void line(boolean fine, String topic, String text) {
    System.out.printf(Locale.ROOT, "%-4s %-22s %s%n", fine ? "ok" : "--", topic, text);
  }
}
