package dev.lockstep.federated;

import dev.lockstep.federated.network.ClientConnections;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How clients hear that their federation has ended: with the final model, which each acknowledges.
 * One thread.
 */
final class EndNotice {
  private static final Logger log = LoggerFactory.getLogger(EndNotice.class);

  /** Within that time a client that lost its connection has tried again. */
  private static final Duration COMING_BACK = FederationClient.LONGEST_PAUSE.plusSeconds(1);

  private final ClientConnections connections;

  /** Those that take part and do not know; connected or not. */
  private final Set<Integer> unaware = new TreeSet<>();

  /** Null before the end. */
  private @Nullable ByteBuffer model;

  EndNotice(ClientConnections connections) {
    this.connections = connections;
  }

  /** A client takes part, so it is to hear of the end. */
  void isFor(int client) {
    unaware.add(client);
  }

  /** A client knows, or is not waited for. */
  void isNotFor(int client) {
    unaware.remove(client);
  }

  /** Whether the federation has ended. */
  boolean isSent() {
    return model != null;
  }

  /** Tells a client that has come, if the federation has ended. */
  void sendTo(int client) {
    if (model != null) {
      connections.send(client, Protocol.END, model);
    }
  }

  /**
   * Tells all, and waits until they say that they know: those that are at work when they are done,
   * and those that are away for as long as it takes a client to try again.
   *
   * @param deadline of the wait
   * @param stop whether to end it
   * @param poll handles what clients say
   */
  void send(ByteBuffer finalModel, Duration deadline, BooleanSupplier stop, Runnable poll) {
    model = finalModel;
    connections.present().forEach(this::sendTo);
    long begin = System.nanoTime();
    Duration waited = Duration.ZERO;
    while (isAwaited(waited) && waited.compareTo(deadline) < 0 && !stop.getAsBoolean()) {
      poll.run();
      waited = Duration.ofNanos(System.nanoTime() - begin);
    }
    connections.closeStalled();
    if (!unaware.isEmpty()) {
      log.warn(
          "Clients {} have not said that they know of the federation's end; --server --resume"
              + " tells them.",
          unaware);
    }
  }

  private boolean isAwaited(Duration waited) {
    return connections.present().stream().anyMatch(unaware::contains)
        || !unaware.isEmpty() && waited.compareTo(COMING_BACK) < 0;
  }
}
