package dev.lockstep.train.engine;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.ParameterRange;
import java.util.BitSet;
import java.util.List;

/**
 * Which parameters a step updates: those that backward reached on at least one rank. A step of
 * {@code torch.optim} skips the others, decay and momentum included.
 */
public final class UsedParameters {
  private final FlatLayout layout;
  private final Communicator communicator;
  private final List<ParameterRange> everything;

  public UsedParameters(FlatLayout layout, Communicator communicator) {
    this.layout = layout;
    this.communicator = communicator;
    everything = layout.everything();
  }

  /**
   * The ranges to update, equal on all ranks; collective where any rank's backward left one out.
   *
   * @param anyUnused whether that is so on any rank, known to all
   */
  public List<ParameterRange> ofAllRanks(Computed computed, boolean anyUnused) {
    if (!anyUnused) {
      return everything;
    }
    int[] flags = new int[layout.slots().size()];
    computed.used().stream().forEach(i -> flags[i] = 1);
    int[] all = communicator.allReduce(flags, ReduceOp.MAX);
    BitSet used = new BitSet();
    for (int i = 0; i < all.length; i++) {
      used.set(i, all[i] != 0);
    }
    return layout.ranges(used);
  }

  /** The ranges that this rank alone updates. */
  public List<ParameterRange> ofThisRank(Computed computed) {
    return computed.usesAll() ? everything : layout.ranges(computed.used());
  }
}
