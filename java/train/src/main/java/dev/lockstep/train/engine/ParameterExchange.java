package dev.lockstep.train.engine;

import dev.lockstep.train.memory.ControlWords.Word;
import java.util.BitSet;
import java.util.Set;

/** What ranks do with their parameters after an update. Collective where it communicates. */
public interface ParameterExchange extends Stateful, AutoCloseable {
  /** For ranks whose parameters are equal after every update. */
  ParameterExchange NONE =
      new ParameterExchange() {
        @Override
        public Set<Word> afterUpdate(Step step, Reduced reduced) {
          return reduced.raised();
        }

        @Override
        public Set<Word> synchronize(SyncPoint why) {
          return Set.of();
        }
      };

  /**
   * The parameters have been updated, or the update was left out because numbers are not finite.
   *
   * @return what all ranks know now to be raised
   */
  Set<Word> afterUpdate(Step step, Reduced reduced);

  /**
   * Makes parameters equal on all ranks, for what follows.
   *
   * @return what all ranks know now to be raised
   */
  Set<Word> synchronize(SyncPoint why);

  /**
   * What {@link #synchronize} was for is done, and training goes on: ranks that train with
   * parameters of their own take them up again. Communicates nothing.
   */
  default void goOn() {}

  /** As {@link Role#lost}. */
  default BitSet lost() {
    return new BitSet();
  }

  /** As {@link Role#canLose}. */
  default boolean canLose(int rank) {
    return false;
  }

  /** Seconds that this rank has waited for others. */
  default double waitedSeconds() {
    return 0;
  }

  @Override
  default void declare(TrainingState state) {}

  @Override
  default void close() {}
}
