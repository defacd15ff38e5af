package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CollectiveTimeoutException;
import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;

/**
 * Whom a server gives up, from pulse to pulse. A worker of dedicated servers whose process has
 * stopped is as one that has ended; any other rank that others have waited for longer than a
 * deadline ends the run. Not thread-safe.
 */
final class Judgement {
  private final Serving serving;
  private final int server;
  private final double timeoutSeconds;
  private final Silence silence;

  /**
   * @param server the rank of whoever judges
   */
  Judgement(Serving serving, int server, double timeoutSeconds, Silence silence) {
    this.serving = serving;
    this.server = server;
    this.timeoutSeconds = timeoutSeconds;
    this.silence = silence;
  }

  /**
   * A pulse has passed.
   *
   * @param expected ranks that are to ask
   * @param paused while the ranks are at work together, whose collectives have deadlines
   * @param callers all who may ask
   * @return workers whose processes have stopped
   * @throws CollectiveTimeoutException naming a rank that is silent
   * @throws IllegalStateException if all wait for each other
   */
  List<Integer> pulse(List<Integer> expected, boolean paused, Collection<Caller> callers) {
    OptionalInt silent = silence.pulse(expected);
    if (silent.isPresent() && !hasStopped(silent.getAsInt())) {
      throw Silence.of(silent.getAsInt(), server, timeoutSeconds);
    }
    if (!paused && silence.isDeadlock(expected)) {
      throw new IllegalStateException(
          "The parameter server of rank "
              + server
              + " can answer no rank, though all of them ask: "
              + callers
              + ". This is a fault of Lockstep, or the ranks do not take the same steps.");
    }
    return paused ? List.of() : silence.stopped().stream().filter(serving::canLose).toList();
  }

  /** Whether it is on its way to be taken for stopped, and can be done without. */
  private boolean hasStopped(int rank) {
    return serving.canLose(rank) && silence.misses(rank);
  }
}
