package dev.lockstep.train.memory;

import dev.lockstep.comm.Communicator;
import java.util.List;

/**
 * Which rank has which of a model's tensors, where not every rank has all of them.
 *
 * @param whole the layout of all, the same on all ranks
 * @param holders of each tensor of the layout, the rank that writes it to a checkpoint
 * @param replicas the ranks that have the same tensors as this one; its first is their holder
 */
public record Distribution(FlatLayout whole, List<Integer> holders, Communicator replicas) {
  public Distribution {
    holders = List.copyOf(holders);
  }

  /** The same for tensors of the same names and shapes in another layout, as of other types. */
  public Distribution withLayout(FlatLayout layout) {
    return new Distribution(layout, holders, replicas);
  }
}
