package dev.lockstep.train;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.checkpoint.StoredTensor;
import dev.lockstep.checkpoint.TensorShare;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.engine.TrainingState.Entry;
import dev.lockstep.train.memory.NativeView;
import java.util.ArrayList;
import java.util.List;

/**
 * A copy of this rank's share of the state: what only this rank has, and its part of what is equal
 * on all ranks. The memory is taken once, before the first step.
 */
final class StagedState implements AutoCloseable {
  private final List<Entry> entries;
  private final NativeMemory memory;
  private final List<TensorShare> shares = new ArrayList<>();

  private StagedState(List<Entry> entries) {
    this.entries = entries;
    memory = NativeMemory.allocate(entries.stream().mapToLong(Entry::bytes).sum());
    long at = memory.address();
    for (Entry entry : entries) {
      shares.add(
          new TensorShare(
              new StoredTensor(
                  entry.name(), entry.type(), entry.shape(), NativeView.pieces(at, entry.bytes())),
              entry.placement() instanceof Placement.Held
                  ? Placement.REPLICATED
                  : entry.placement()));
      at += entry.bytes();
    }
  }

  /**
   * Takes the memory.
   *
   * @param allWrite whether each rank writes a share of what is equal on all; otherwise rank 0 does
   * @throws TrainingException if ranks have state of their own that nobody could write
   */
  static StagedState of(TrainingState state, Communicator communicator, boolean allWrite) {
    List<Entry> own = new ArrayList<>();
    long total =
        state.entries().stream()
            .filter(entry -> entry.placement() instanceof Placement.Replicated)
            .mapToLong(Entry::bytes)
            .sum();
    long before = 0;
    for (Entry entry : state.entries()) {
      if (!(entry.placement() instanceof Placement.Replicated)) {
        if (!allWrite) {
          throw new TrainingException(
              "Each rank has state of its own ("
                  + entry.name()
                  + "), but not all ranks see the run's folder. Put it on a file system that all"
                  + " hosts share: output.folder.");
        }
        if (writes(entry.placement(), communicator.rank())) {
          own.add(entry);
        }
        continue;
      }
      // Whole tensors, by where they begin in all of them laid end to end.
      long writer = allWrite ? before * communicator.size() / Math.max(1, total) : 0;
      if (Math.min(writer, communicator.size() - 1) == communicator.rank()) {
        own.add(entry);
      }
      before += entry.bytes();
    }
    return new StagedState(own);
  }

  private static boolean writes(Placement placement, int rank) {
    if (placement instanceof Placement.Held held) {
      return held.rank() == rank;
    }
    return !(placement instanceof Placement.Sliced sliced) || sliced.rank() == rank;
  }

  /** Copies the state as it is now, over the copy before; the shares stay valid until the next. */
  List<TensorShare> copy() {
    long at = memory.address();
    for (Entry entry : entries) {
      NativeView.copy(at, entry.address(), entry.bytes());
      at += entry.bytes();
    }
    return List.copyOf(shares);
  }

  @Override
  public void close() {
    memory.close();
  }
}
