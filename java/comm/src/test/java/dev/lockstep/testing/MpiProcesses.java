package dev.lockstep.testing;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import dev.lockstep.comm.MpiLibrary;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** N Java processes under mpirun, with a hard deadline: {@link #close} kills what is left. */
public final class MpiProcesses implements AutoCloseable {
  private final Process mpirun;
  private final Path output;

  private MpiProcesses(Process mpirun, Path output) {
    this.mpirun = mpirun;
    this.output = output;
  }

  /** Debian's names; plain {@code mpirun} may be either. */
  private static String launcher(MpiLibrary library) {
    return library == MpiLibrary.OPEN_MPI ? "mpirun.openmpi" : "mpirun.mpich";
  }

  /** Whether this MPI's mpirun is on the path. */
  public static boolean available(MpiLibrary library) {
    for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
      if (Files.isExecutable(Path.of(folder, launcher(library)))) {
        return true;
      }
    }
    return false;
  }

  /** Starts {@code size} ranks of {@code main}. */
  public static MpiProcesses start(
      MpiLibrary library, Path folder, int size, Class<?> main, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of(launcher(library), "-n", Integer.toString(size)));
    command.addAll(RankProcesses.javaCommand(main, arguments));
    Path output = folder.resolve("mpirun.txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(output.toFile());
    // Open MPI refuses root, and more ranks than cores, unless told otherwise.
    builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT", "1");
    builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    builder.environment().put("OMPI_MCA_rmaps_base_oversubscribe", "1");
    return new MpiProcesses(builder.start(), output);
  }

  /** What all ranks have printed so far. */
  public String output() throws IOException {
    return Files.readString(output);
  }

  /** Waits for mpirun to end. @return its exit code */
  public int await(Duration limit) throws IOException, InterruptedException {
    if (!mpirun.waitFor(limit.toMillis(), MILLISECONDS)) {
      throw new AssertionError("mpirun still runs after " + limit + ":\n" + output());
    }
    return mpirun.exitValue();
  }

  @Override
  public void close() {
    mpirun.descendants().forEach(ProcessHandle::destroyForcibly);
    mpirun.destroyForcibly();
  }
}
