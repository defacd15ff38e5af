package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CollectiveTimeoutException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/**
 * Who waits for a server's answer, and which rank has said nothing for a whole deadline while
 * another one waited as long. Time is counted in pulses of the server's own thread, so that a
 * process that was stopped for a while does not take the others for silent. Not thread-safe.
 */
final class Silence {
  /** Pulses in a deadline. */
  static final int PULSES = 8;

  /** Pulses that a sign of life, which comes once in each, may be late. */
  private static final int LATE = 3;

  /** By rank that has asked: pulses since all of its request was here. */
  private final Map<Integer, Integer> asking = new TreeMap<>();

  /** Those of them whose gradients are not all here. */
  private final Set<Integer> sending = new HashSet<>();

  /** Those of them who can do without an answer for as long as a step takes. */
  private final Set<Integer> patient = new HashSet<>();

  /** By rank that has not asked, or not sent all: pulses since it was heard of. */
  private final Map<Integer, Integer> quiet = new HashMap<>();

  /** By rank that gives signs of life of its process: pulses since anything was heard of it. */
  private final Map<Integer, Integer> unheard = new TreeMap<>();

  /** The time between two pulses. */
  static long pulseNanos(double timeoutSeconds) {
    return (long) (timeoutSeconds * 1e9 / PULSES);
  }

  /**
   * What is thrown for a silent rank.
   *
   * @param server whose server has noticed
   */
  static CollectiveTimeoutException of(int rank, int server, double timeoutSeconds) {
    return new CollectiveTimeoutException(
        "The parameter server of rank "
            + server
            + " has heard nothing of rank "
            + rank
            + " for "
            + timeoutSeconds
            + " s, while others waited for it: it has stopped, or a step takes it longer than the"
            + " timeout.",
        rank,
        null);
  }

  /** What is said of a rank whose process gives no signs of life. */
  static CollectiveTimeoutException stopped(int rank, int server, double timeoutSeconds) {
    return new CollectiveTimeoutException(
        "The parameter server of rank "
            + server
            + " has had no sign of life of rank "
            + rank
            + " for "
            + timeoutSeconds
            + " s: its process has stopped, or is not reached.",
        rank,
        null);
  }

  /** A rank takes steps, though it asks nothing. */
  void stepped(int rank) {
    quiet.remove(rank);
  }

  /** A rank's process runs; from the first such sign on it is to go on giving them. */
  void runs(int rank) {
    unheard.put(rank, 0);
  }

  /** Whether a rank's process gives no more signs, for longer than they may be late. */
  boolean misses(int rank) {
    return unheard.getOrDefault(rank, 0) > LATE;
  }

  /** Ranks whose processes have given no sign for more than a deadline. */
  List<Integer> stopped() {
    return unheard.entrySet().stream()
        .filter(rank -> rank.getValue() > PULSES)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** A rank is gone. */
  void left(int rank) {
    unheard.remove(rank);
  }

  /** A rank has asked; what goes with the request may be on its way still. */
  void asked(int rank) {
    done(rank);
    asking.put(rank, 0);
    sending.add(rank);
  }

  /**
   * All of a request is there.
   *
   * @param urgent whether the rank cannot go on before others have asked, too
   */
  void received(int rank, boolean urgent) {
    done(rank);
    asking.put(rank, 0);
    if (!urgent) {
      patient.add(rank);
    }
  }

  /** A rank has been answered, or is gone. */
  void done(int rank) {
    asking.remove(rank);
    sending.remove(rank);
    patient.remove(rank);
    quiet.remove(rank);
  }

  /** Counts of ranks that say nothing begin anew. */
  void forget() {
    quiet.clear();
    unheard.replaceAll((rank, pulses) -> 0);
  }

  /** The ranks that wait for an answer. */
  List<Integer> waiting() {
    return List.copyOf(asking.keySet());
  }

  /** Whether a pulse has passed since a rank was heard of that is to ask. */
  boolean isQuiet(int rank) {
    return quiet.containsKey(rank);
  }

  /** Whether all of this rank's request is here. */
  boolean hasReceived(int rank) {
    return asking.containsKey(rank) && !sending.contains(rank);
  }

  /**
   * A pulse has passed.
   *
   * @param expected ranks that are to ask; the count of another one begins when it is expected
   * @return the one that has said nothing for longest, if that is more than a deadline, and if a
   *     rank that cannot go on before it has been without an answer for more than a deadline, too
   */
  OptionalInt pulse(Collection<Integer> expected) {
    unheard.replaceAll((rank, pulses) -> pulses + 1);
    quiet.keySet().retainAll(expected);
    for (int rank : expected) {
      if (!hasReceived(rank)) {
        quiet.merge(rank, 1, Integer::sum);
      }
    }
    asking.replaceAll((rank, pulses) -> sending.contains(rank) ? 0 : pulses + 1);
    boolean held =
        asking.entrySet().stream()
            .anyMatch(asker -> asker.getValue() > PULSES && !patient.contains(asker.getKey()));
    return quiet.entrySet().stream()
        .filter(rank -> held && rank.getValue() > PULSES)
        .max(Map.Entry.<Integer, Integer>comparingByValue())
        .map(rank -> OptionalInt.of(rank.getKey()))
        .orElse(OptionalInt.empty());
  }

  /**
   * Whether all who are expected have been waiting for an answer for more than a deadline, which
   * nothing that is still to come can bring about.
   */
  boolean isDeadlock(Collection<Integer> expected) {
    return asking.keySet().containsAll(expected)
        && sending.isEmpty()
        && asking.values().stream().allMatch(pulses -> pulses > PULSES);
  }
}
