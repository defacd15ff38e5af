package dev.lockstep.federated;

import dev.lockstep.federated.network.ClientConnections;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How clients hear that their federation has ended: with the final model, which each acknowledges.
 * One thread.
 */
final class EndNotice {
  /** Within that time a client that lost its connection has tried again. */
  static final Duration COMING_BACK = FederationClient.LONGEST_PAUSE.plusSeconds(1);

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

  /** Nobody waits for this client. */
  void isNotFor(int client) {
    unaware.remove(client);
  }

  /** Tells all that are connected. */
  void send(ByteBuffer finalModel) {
    model = finalModel;
    connections.present().forEach(this::sendTo);
  }

  /** Tells a client that has come, if the federation has ended. */
  void sendTo(int client) {
    if (model != null) {
      connections.send(client, Protocol.END, model);
    }
  }

  /** Whether the federation has ended. */
  boolean isSent() {
    return model != null;
  }

  Set<Integer> unaware() {
    return unaware;
  }

  /**
   * Whether somebody may still acknowledge it: a client that is connected, maybe after its work, or
   * one that may come back.
   *
   * @param waited since it was sent
   */
  boolean isAwaited(Duration waited) {
    return connections.present().stream().anyMatch(unaware::contains)
        || !unaware.isEmpty() && waited.compareTo(COMING_BACK) < 0;
  }
}
