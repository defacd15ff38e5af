package dev.lockstep.federated;

import dev.lockstep.federated.network.ClientConnections;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How clients hear that their federation has ended: with the final model, which each acknowledges.
 * One thread.
 */
final class EndNotice {
  private static final Logger log = LoggerFactory.getLogger(EndNotice.class);

  /** In all; a client that never ends a message would hold the server for ever. */
  private static final int MOST_DEADLINES = 10;

  /** Within that time a client that lost its connection has tried again. */
  private static final Duration COMING_BACK = FederationClient.LONGEST_PAUSE.plusSeconds(1);

  private final ClientConnections connections;

  /** Those that take part and do not know; connected or not. */
  private final Set<Integer> unaware = new TreeSet<>();

  private final LongSupplier nanoTime;

  /**
   * Of each of them, when the last sign came, and what {@link ClientConnections#signs} was then.
   */
  private final Map<Integer, Sign> last = new HashMap<>();

  private record Sign(long nanos, long signs, boolean present) {}

  /** Null before the end. */
  private @Nullable ByteBuffer model;

  EndNotice(ClientConnections connections) {
    this(connections, System::nanoTime);
  }

  /**
   * @param nanoTime the clock
   */
  EndNotice(ClientConnections connections, LongSupplier nanoTime) {
    this.connections = connections;
    this.nanoTime = nanoTime;
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
   * and those that are away for as long as it takes a client to try again, both from when something
   * came of them last, so that a message may take as long as it likes.
   *
   * @param deadline of the wait for one that is connected and gives no sign
   * @param stop whether to end it
   * @param poll handles what clients say
   */
  void send(ByteBuffer finalModel, Duration deadline, BooleanSupplier stop, Runnable poll) {
    model = finalModel;
    connections.present().forEach(this::sendTo);
    long begin = nanoTime.getAsLong();
    while (isAnyAwaited(deadline) && isWithin(deadline, begin) && !stop.getAsBoolean()) {
      poll.run();
    }
    connections.closeStalled();
    if (!unaware.isEmpty()) {
      log.warn(
          "Clients {} have not said that they know of the federation's end; --server --resume"
              + " tells them.",
          unaware);
    }
  }

  private boolean isWithin(Duration deadline, long begin) {
    Duration gone = Duration.ofNanos(nanoTime.getAsLong() - begin);
    // As a duration, because a deadline of years times ten is more nanoseconds than a long holds.
    return gone.compareTo(deadline.multipliedBy(MOST_DEADLINES)) < 0;
  }

  private boolean isAnyAwaited(Duration deadline) {
    boolean any = false;
    Set<Integer> present = Set.copyOf(connections.present());
    long now = nanoTime.getAsLong();
    for (int client : unaware) {
      boolean there = present.contains(client);
      Sign sign = new Sign(now, connections.signs(client), there);
      Sign before = last.get(client);
      // Whoever has left was there until now; a connection that is silent is none.
      if (before == null || before.present() != there || before.signs() != sign.signs()) {
        last.put(client, sign);
        before = sign;
      }
      Duration limit = there || deadline.compareTo(COMING_BACK) < 0 ? deadline : COMING_BACK;
      any |= now - before.nanos() < limit.toNanos();
    }
    return any;
  }
}
