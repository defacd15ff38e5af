package dev.lockstep.learn;

import java.util.Map;
import java.util.Optional;

/** What a learner tells while it fits, and asks. On every rank; the calls come one at a time. */
public interface FitListener {
  /** Does nothing and never stops. */
  static FitListener none() {
    return new FitListener() {};
  }

  /**
   * A step (an iteration, a round, some trees) has ended.
   *
   * @param step from 1
   * @param steps the most there can be
   * @param values what was measured in it, by name
   */
  default void step(int step, int steps, Map<String, Double> values) {}

  /** A phase ("read", "bin", "seed", "grow") took so long on this rank. */
  default void phase(String name, double seconds) {}

  /** Whether this rank wants all to stop; asked after each step. */
  default boolean stopRequested() {
    return false;
  }

  /** How many steps lie between checkpoints; 0 for none but on a stop. */
  default int checkpointEvery() {
    return 0;
  }

  /**
   * Keeps a state; called on rank 0 alone.
   *
   * @param step the step that it follows
   * @param state text, to be handed back by {@link #resumeFrom} of rank 0
   */
  default void checkpoint(int step, String state) {}

  /** A state to go on from, or nothing; rank 0's counts. */
  default Optional<String> resumeFrom() {
    return Optional.empty();
  }
}
