package dev.lockstep.train.memory;

import dev.lockstep.checkpoint.TensorSlice;
import dev.lockstep.comm.Communicator;
import java.util.List;
import java.util.Map;

/**
 * Which rank has which of a model's tensors, where not every rank has all of them.
 *
 * @param whole the layout of all, the same on all ranks
 * @param holders of each tensor of the layout, the rank that writes it, or this rank's slice of it,
 *     to a checkpoint
 * @param slices by name, which slice of a tensor this rank has; of the others it has all or nothing
 * @param replicas the ranks that have the same tensors as this one; its first is their holder
 */
public record Distribution(
    FlatLayout whole,
    List<Integer> holders,
    Map<String, TensorSlice> slices,
    Communicator replicas) {
  public Distribution {
    holders = List.copyOf(holders);
    slices = Map.copyOf(slices);
  }

  /** Of whole tensors. */
  public Distribution(FlatLayout whole, List<Integer> holders, Communicator replicas) {
    this(whole, holders, Map.of(), replicas);
  }

  /** The same for tensors of the same names and shapes in another layout, as of other types. */
  public Distribution withLayout(FlatLayout layout) {
    return new Distribution(layout, holders, slices, replicas);
  }
}
