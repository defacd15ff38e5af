package dev.lockstep.train.strategy.server;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who waits for a server's answer, and which rank it has heard nothing of for a whole deadline
 * meanwhile. Time is counted in pulses of the server's own thread, so that a process that was
 * stopped for a while does not take the others for silent. Not thread-safe.
 */
final class Silence {
  /** Pulses in a deadline. */
  static final int PULSES = 8;

  private final Set<Integer> asking = new TreeSet<>();

  /** Those of them whose gradients are not all here. */
  private final Set<Integer> sending = new HashSet<>();

  private final Map<Integer, Integer> pulses = new HashMap<>();

  /** A rank has asked; what goes with the request may be on its way still. */
  void asked(int rank) {
    asking.add(rank);
    sending.add(rank);
    pulses.remove(rank);
  }

  /** All of a request is there. */
  void received(int rank) {
    sending.remove(rank);
    pulses.remove(rank);
  }

  /** A rank has been answered, or is gone. */
  void done(int rank) {
    asking.remove(rank);
    sending.remove(rank);
    pulses.remove(rank);
  }

  /** Counts begin anew. */
  void forget() {
    pulses.clear();
  }

  /** The ranks that wait for an answer. */
  List<Integer> waiting() {
    return List.copyOf(asking);
  }

  /**
   * A pulse has passed.
   *
   * @param all ranks of whom something may be awaited
   * @return one that has said nothing for more than a deadline while others waited
   */
  OptionalInt pulse(Collection<Integer> all) {
    for (int rank : all) {
      boolean awaited = !asking.contains(rank) || sending.contains(rank);
      if (!asking.isEmpty() && awaited && pulses.merge(rank, 1, Integer::sum) > PULSES) {
        return OptionalInt.of(rank);
      }
    }
    return OptionalInt.empty();
  }
}
