package dev.lockstep.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Starts a group of ranks on this host and stays until all have ended. One thread decides; ranks
 * that end and signals that arrive are events in its queue.
 *
 * <p>The first failure ends all others: SIGTERM, and SIGKILL after a grace. A rank whose exit code
 * says that its communication failed usually only noticed another's death, so others get a moment
 * to end by themselves, and the blame.
 */
final class LocalLauncher {
  private static final Duration SETTLE = Duration.ofMillis(700);
  private static final Duration GRACE_AFTER_FAILURE = Duration.ofSeconds(5);

  /** Ctrl-C promises an end within two seconds. */
  private static final Duration GRACE_AFTER_INTERRUPT = Duration.ofMillis(750);

  private final PrintStream out;
  private final PrintStream err;
  private final Duration graceAfterTerminate;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final Map<Integer, RankProcess> running = new TreeMap<>();
  private final List<RankProcess> failed = new ArrayList<>();
  private Stage stage = Stage.RUNNING;
  private @Nullable String signal;
  private boolean allCheckpointed = true;
  private long deadline = Long.MAX_VALUE;

  private enum Stage {
    RUNNING,
    SETTLING,
    ENDING,
    KILLED
  }

  private record Event(@Nullable RankProcess ended, @Nullable String signal) {}

  /**
   * @param graceAfterTerminate how long ranks may take to write a checkpoint after SIGTERM
   */
  LocalLauncher(PrintStream out, PrintStream err, Duration graceAfterTerminate) {
    this.out = out;
    this.err = err;
    this.graceAfterTerminate = graceAfterTerminate;
  }

  /** Tells the launcher of a signal ({@code INT}, {@code TERM}). Any thread may call it. */
  void signalled(String name) {
    events.add(new Event(null, name));
  }

  /**
   * Runs the command once for each of the environments, which are by rank.
   *
   * @return the launcher's exit code: 0, or the failing rank's
   */
  int run(List<String> command, List<Map<String, String>> environments)
      throws InterruptedException {
    try {
      for (int rank = 0; rank < environments.size(); rank++) {
        running.put(
            rank,
            RankProcess.start(
                rank,
                command,
                environments.get(rank),
                out,
                err,
                ended -> events.add(new Event(ended, null))));
      }
    } catch (RuntimeException e) {
      signalAll("KILL");
      throw e;
    }
    while (!running.isEmpty()) {
      Event event = events.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (event == null) {
        deadlinePassed();
      } else if (event.ended() != null) {
        ended(event.ended());
      } else if (event.signal() != null) {
        received(event.signal());
      }
    }
    return verdict();
  }

  private void ended(RankProcess rank) {
    running.remove(rank.rank());
    allCheckpointed &= rank.exitCode() == ExitCode.CHECKPOINTED;
    if (rank.exitCode() == 0 || stage == Stage.ENDING || stage == Stage.KILLED) {
      return;
    }
    failed.add(rank);
    if (rank.exitCode() != ExitCode.COMMUNICATION) {
      end("TERM", GRACE_AFTER_FAILURE);
    } else if (stage == Stage.RUNNING) {
      enter(Stage.SETTLING, SETTLE);
    }
  }

  private void received(String name) {
    boolean again = signal != null;
    signal = name;
    if (again && name.equals("INT")) {
      kill();
    } else {
      end(name, name.equals("INT") ? GRACE_AFTER_INTERRUPT : graceAfterTerminate);
    }
  }

  private void deadlinePassed() {
    if (stage == Stage.SETTLING) {
      end("TERM", GRACE_AFTER_FAILURE);
    } else {
      kill();
    }
  }

  private void end(String name, Duration grace) {
    signalAll(name);
    enter(Stage.ENDING, grace);
  }

  private void kill() {
    signalAll("KILL");
    enter(Stage.KILLED, Duration.ofDays(1));
  }

  private void enter(Stage next, Duration limit) {
    stage = next;
    deadline = System.nanoTime() + limit.toNanos();
  }

  private void signalAll(String name) {
    running.values().forEach(rank -> rank.signal(name));
  }

  private int verdict() {
    if (!failed.isEmpty()) {
      RankProcess culprit =
          failed.stream()
              .filter(rank -> rank.exitCode() != ExitCode.COMMUNICATION)
              .findFirst()
              .orElse(failed.get(0));
      report(culprit);
      return culprit.exitCode();
    }
    if (signal == null) {
      return ExitCode.OK;
    }
    if (signal.equals("INT")) {
      err.println("lockstep: interrupted; all ranks have ended");
      return ExitCode.INTERRUPTED;
    }
    err.println("lockstep: terminated; all ranks have ended");
    return allCheckpointed ? ExitCode.CHECKPOINTED : ExitCode.TERMINATED;
  }

  private void report(RankProcess culprit) {
    int code = culprit.exitCode();
    String how =
        code > 128 ? "was ended by signal " + (code - 128) : "failed with exit code " + code;
    List<String> message = culprit.lastMessage();
    String first = "lockstep: rank " + culprit.rank() + " " + how;
    err.println(message.isEmpty() ? first : first + ": " + message.get(0));
    message.stream().skip(1).forEach(line -> err.println("lockstep: " + line));
  }
}
