package dev.lockstep.testing;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import dev.lockstep.comm.FreePort;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * N Java processes that run one main class as the ranks of a TCP group, with a hard deadline:
 * {@link #close} kills what is left. Output goes to files, so that no rank ever blocks on a full
 * pipe.
 */
public final class RankProcesses implements AutoCloseable {
  private final List<Process> processes = new ArrayList<>();
  private final List<Path> outputs = new ArrayList<>();
  private final Path folder;

  private RankProcesses(Path folder) {
    this.folder = folder;
  }

  /**
   * Starts ranks 0 to {@code size - 1} of {@code main}, which finds its group in its environment.
   */
  public static RankProcesses start(Path folder, int size, Class<?> main, String... arguments)
      throws IOException {
    return start(folder, size, Map.of(), main, arguments);
  }

  /** As above, with more environment variables. */
  public static RankProcesses start(
      Path folder, int size, Map<String, String> environment, Class<?> main, String... arguments)
      throws IOException {
    RankProcesses ranks = new RankProcesses(folder);
    int port = freePort();
    for (int rank = 0; rank < size; rank++) {
      ranks.startRank(rank, size, port, environment, main, arguments);
    }
    return ranks;
  }

  /** How to run {@code main} in a small JVM with this one's class path, from any folder. */
  public static List<String> javaCommand(Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m"));
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entry -> Path.of(entry).toAbsolutePath().toString())
            .collect(Collectors.joining(File.pathSeparator));
    command.addAll(List.of("-cp", classPath, main.getName()));
    command.addAll(List.of(arguments));
    return command;
  }

  /** A port that the kernel gives to nobody else before rank 0 listens on it. */
  public static int freePort() {
    return FreePort.choose();
  }

  private void startRank(
      int rank,
      int size,
      int port,
      Map<String, String> environment,
      Class<?> main,
      String... arguments)
      throws IOException {
    Path output = folder.resolve("rank-" + rank + ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(javaCommand(main, arguments))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().put("RANK", Integer.toString(rank));
    builder.environment().put("LOCAL_RANK", Integer.toString(rank));
    builder.environment().put("WORLD_SIZE", Integer.toString(size));
    builder.environment().put("LOCAL_WORLD_SIZE", Integer.toString(size));
    builder.environment().put("MASTER_ADDR", "127.0.0.1");
    builder.environment().put("MASTER_PORT", Integer.toString(port));
    builder.environment().put("LOCKSTEP_TOKEN", "test-token");
    builder.environment().putAll(environment);
    outputs.add(output);
    processes.add(builder.start());
  }

  public Process process(int rank) {
    return processes.get(rank);
  }

  /** What a rank has printed so far. */
  public String output(int rank) throws IOException {
    return Files.readString(outputs.get(rank), StandardCharsets.UTF_8);
  }

  /**
   * Waits until a rank has printed {@code text}; fails at the deadline or when the rank ends
   * without it.
   */
  public void awaitOutput(int rank, String text, Duration limit)
      throws IOException, InterruptedException {
    Instant end = Instant.now().plus(limit);
    while (!output(rank).contains(text)) {
      boolean ended = process(rank).waitFor(20, MILLISECONDS);
      if ((ended && !output(rank).contains(text)) || Instant.now().isAfter(end)) {
        throw new AssertionError(
            "Rank " + rank + " did not print \"" + text + "\":\n" + output(rank));
      }
    }
  }

  /** Waits for a rank to end. @return its exit code */
  public int await(int rank, Duration limit) throws IOException, InterruptedException {
    if (!process(rank).waitFor(limit.toMillis(), MILLISECONDS)) {
      throw new AssertionError(
          "Rank " + rank + " still runs after " + limit + ":\n" + output(rank));
    }
    return process(rank).exitValue();
  }

  /** Waits until every rank has ended with exit code 0. */
  public void awaitSuccess(Duration limit) throws IOException, InterruptedException {
    Instant end = Instant.now().plus(limit);
    for (int rank = 0; rank < processes.size(); rank++) {
      int code = await(rank, Duration.between(Instant.now(), end));
      if (code != 0) {
        throw new AssertionError(
            "Rank " + rank + " ended with exit code " + code + ":\n" + output(rank));
      }
    }
  }

  /** Waits for a condition, looking every few milliseconds; fails at the deadline. */
  public static void awaitTrue(String what, BooleanSupplier condition, Duration limit)
      throws InterruptedException {
    Instant end = Instant.now().plus(limit);
    while (!condition.getAsBoolean()) {
      if (Instant.now().isAfter(end)) {
        throw new AssertionError("Not within " + limit + ": " + what);
      }
      MILLISECONDS.sleep(5);
    }
  }

  /** Kills every rank that still runs. */
  @Override
  public void close() {
    for (Process process : processes) {
      process.destroyForcibly();
    }
  }
}
