package dev.lockstep.train.engine;

import dev.lockstep.train.memory.ControlWords.Word;
import java.util.BitSet;
import java.util.Set;

/** What a rank does in a step: a worker, a pipeline stage, a server. One thread. */
public interface Role extends Stateful {
  /** Takes one step; every rank of the group calls it. */
  StepReport step(Step step);

  /**
   * Makes parameters equal on all ranks, for what follows; collective.
   *
   * @return what all ranks know now to be raised
   */
  Set<Word> synchronize(SyncPoint why);

  /**
   * The ranks that are gone, once {@link dev.lockstep.train.memory.ControlWords.Word#REGROUP} is
   * raised; the same on all others, which then form a group without them. Most strategies end
   * instead.
   */
  default BitSet lost() {
    return new BitSet();
  }

  /**
   * Whether the others can go on without a rank; as {@link #lost}, of the group at the beginning.
   */
  default boolean canLose(int rank) {
    return false;
  }

  /** What {@link #synchronize} was for is done, and training goes on. */
  void goOn();

  /** Forward and backward, for evaluation and for finding what is not finite. */
  Compute compute();

  /** Seconds that this rank has waited for others. */
  double waitedSeconds();
}
