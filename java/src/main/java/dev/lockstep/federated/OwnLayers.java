package dev.lockstep.federated;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A client's own layers, from one connection to the next. A round that is asked for again, for the
 * answer was lost, begins with the layers with which it began before. Not thread-safe.
 */
final class OwnLayers {
  private final Map<Integer, float[]> byClient = new HashMap<>();
  private int newestRound = -1;

  /** Those before the newest round; null for none. */
  private float @Nullable [] before;

  /** Live memory, by client. */
  Map<Integer, float[]> byClient() {
    return byClient;
  }

  /** Goes on to a round, or back to the beginning of the newest. */
  void beginRound(int client, int round) {
    if (round != newestRound) {
      newestRound = round;
      before = byClient.get(client);
    } else if (before == null) {
      byClient.remove(client);
    } else {
      byClient.put(client, before);
    }
  }
}
