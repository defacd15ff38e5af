package dev.lockstep.cli;

import dev.lockstep.LockstepException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One rank that the launcher started: a process group of its own, guarded by {@code rank-guard.sh}.
 */
final class RankProcess {
  /** A rank's grandchildren may hold its output open until the guard has killed them. */
  private static final long DRAIN_MILLISECONDS = 1000;

  private static final String MESSAGE_PREFIX = "lockstep: ";
  private static final String GUARD = readGuard();

  private final int rank;
  private final Process process;
  private final PrefixedOutput standardOutput;
  private final PrefixedOutput standardError;

  private RankProcess(int rank, Process process, PrintStream out, PrintStream err) {
    this.rank = rank;
    this.process = process;
    String prefix = "[" + rank + "] ";
    this.standardOutput = new PrefixedOutput(prefix, process.getInputStream(), out);
    this.standardError = new PrefixedOutput(prefix, process.getErrorStream(), err);
  }

  /**
   * Starts a rank.
   *
   * @param environment what is added to this process's environment
   * @param onEnd called once on a thread of its own, after the rank's last output was copied
   * @throws LockstepException when the command cannot be started
   */
  static RankProcess start(
      int rank,
      List<String> command,
      Map<String, String> environment,
      PrintStream out,
      PrintStream err,
      Consumer<RankProcess> onEnd) {
    List<String> guarded =
        new ArrayList<>(List.of("setsid", "bash", "-c", GUARD, "lockstep-rank-" + rank));
    guarded.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(guarded);
    // A launcher above this one must not be mistaken for the launcher of these ranks.
    builder.environment().keySet().removeIf(RankProcess::isOtherLauncher);
    builder.environment().putAll(environment);
    try {
      RankProcess started = new RankProcess(rank, builder.start(), out, err);
      started.follow(onEnd);
      return started;
    } catch (IOException e) {
      throw new LockstepException(
          "Cannot start rank " + rank + " (needs setsid and bash): " + e.getMessage(), e);
    }
  }

  int rank() {
    return rank;
  }

  /** The exit code of a rank that has ended; 128 + signal when a signal ended it. */
  int exitCode() {
    return process.exitValue();
  }

  /** Sends a signal ({@code TERM}, {@code INT}, {@code KILL}) to every process of the rank. */
  void signal(String name) {
    try {
      OutputStream guard = process.getOutputStream();
      guard.write((name + "\n").getBytes(StandardCharsets.US_ASCII));
      guard.flush();
    } catch (IOException e) {
      // The guard is gone, and so is the rank's group, or somebody killed the guard alone.
      process.destroyForcibly();
    }
  }

  /** What the rank said at last about its own failure; empty when it said nothing. */
  List<String> lastMessage() {
    List<String> lines = standardError.lastLines();
    List<String> messages = lines.stream().filter(l -> l.startsWith(MESSAGE_PREFIX)).toList();
    if (!messages.isEmpty()) {
      return messages.stream().map(l -> l.substring(MESSAGE_PREFIX.length())).toList();
    }
    List<String> any = lines.isEmpty() ? standardOutput.lastLines() : lines;
    return any.isEmpty() ? any : any.subList(any.size() - 1, any.size());
  }

  private void follow(Consumer<RankProcess> onEnd) {
    Thread out = daemon("output", standardOutput);
    Thread err = daemon("error", standardError);
    daemon(
        "wait",
        () -> {
          try {
            // The JDK closes the guard's pipe when the rank has ended: the guard kills what is
            // left.
            process.waitFor();
            out.join(DRAIN_MILLISECONDS);
            err.join(DRAIN_MILLISECONDS);
          } catch (InterruptedException e) {
            throw new IllegalStateException("nothing interrupts this thread", e);
          }
          onEnd.accept(this);
        });
  }

  private Thread daemon(String role, Runnable body) {
    Thread thread = new Thread(body, "rank-" + rank + "-" + role);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static boolean isOtherLauncher(String variable) {
    return variable.startsWith("OMPI_") || variable.startsWith("PMI");
  }

  private static String readGuard() {
    try (InputStream script = RankProcess.class.getResourceAsStream("rank-guard.sh")) {
      return new String(script.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("rank-guard.sh is part of the jar", e);
    }
  }
}
