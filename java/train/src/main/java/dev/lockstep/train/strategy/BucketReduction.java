package dev.lockstep.train.strategy;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ParameterRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a bucket of gradients is summed, and what of the sum a rank then has. */
interface BucketReduction extends Stateful {
  /** A step begins. */
  default void begin(Step step) {}

  /** Begins with one bucket; all ranks begin with the same in the same order. */
  Work start(Bucket bucket);

  /**
   * The work has ended. Where the sum needs a second exchange this begins it, on all ranks in the
   * same order; elsewhere it returns null.
   */
  default @Nullable Work proceed(Bucket bucket) {
    return null;
  }

  /** All has ended: what this rank has of the sum is there. */
  void finish(Bucket bucket);

  /** Only these ranges are updated: what was summed of others must not be lost. */
  default void updates(List<ParameterRange> updated) {}

  /** The sum of squares of what this rank has of a bucket's sum, where that is not the whole. */
  default double ownSquares(Bucket bucket) {
    return 0;
  }

  /**
   * Whether what this rank has of all sums is finite, where that is not the whole.
   *
   * @param squares of them
   */
  default boolean ownAreFinite(double squares) {
    return Double.isFinite(squares);
  }

  /** Whether every rank has all of it, the control words of the last bucket included. */
  boolean isWhole();

  /** Whether it is the sum that is left, and nothing of it is kept for later steps. */
  default boolean isExact() {
    return true;
  }

  @Override
  default void declare(TrainingState state) {}

  /** An all-reduce: every rank has everything. */
  static BucketReduction whole(Communicator group, FlatParameters parameters) {
    return new BucketReduction() {
      @Override
      public Work start(Bucket bucket) {
        return group.allReduceAsync(
            parameters.gradients().span(bucket.group(), bucket.from(), bucket.count()),
            ReduceOp.SUM);
      }

      @Override
      public void finish(Bucket bucket) {}

      @Override
      public boolean isWhole() {
        return true;
      }
    };
  }
}
