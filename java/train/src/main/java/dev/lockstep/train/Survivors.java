package dev.lockstep.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.Normalizer;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.engine.TrainingState.Entry;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.strategy.Strategies;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The ranks that a run still has. Where a strategy goes on without ranks that are gone, the run's
 * parts are made anew for the others, with the state that each of them keeps meanwhile. One thread.
 */
final class Survivors implements AutoCloseable {
  private final Communicator first;
  private Communicator group;
  private BitSet lost = new BitSet();
  private final Map<String, NativeMemory> kept = new LinkedHashMap<>();
  private @Nullable JsonNode values;
  private @Nullable Kept rest;

  private record Kept(Checkpoints.Position position, Normalizer.Pair normalizers, int workers) {}

  /**
   * @param first the ranks at the beginning; not closed
   */
  Survivors(Communicator first) {
    this.first = first;
    group = first;
  }

  Communicator group() {
    return group;
  }

  boolean isFirstGroup() {
    return group == first;
  }

  /** Copies this rank's state, and who is gone. */
  void keep(TrainingAssembly run, Checkpoints.Position position) {
    free();
    for (Entry entry : run.state.entries()) {
      NativeMemory memory = NativeMemory.allocate(Math.max(1, entry.bytes()));
      kept.put(entry.name(), memory);
      NativeView.copy(memory.address(), entry.address(), entry.bytes());
    }
    values = run.state.values();
    rest = new Kept(position, run.normalizers(), workers(run));
    lost = run.role.lost();
  }

  /** Forms the group of those who are left; collective among them. */
  void regroup() {
    int[] left = IntStream.range(0, group.size()).filter(rank -> !lost.get(rank)).toArray();
    Communicator next = group.shrink(left);
    closeGroup();
    group = next;
  }

  /**
   * Gives the new parts the state that was kept; collective. What the ranks had last averaged
   * before they lost the others (batch statistics) becomes that of the first rank that computes.
   * The losses of this epoch that are lost count as those of the ranks that are left.
   */
  Checkpoints.Position restore(TrainingAssembly run) {
    Kept all = rest;
    if (all == null || values == null) {
      throw new IllegalStateException("Nothing was kept.");
    }
    checkSameStep(all.position().steps());
    run.useNormalizers(all.normalizers());
    TrainingState state = run.state;
    state.restoreValues(values);
    for (Entry entry : state.entries()) {
      NativeMemory memory = kept.get(entry.name());
      if (memory == null || memory.bytes() != Math.max(1, entry.bytes())) {
        throw new TrainingException(
            "Ranks are gone, and "
                + entry.name()
                + " cannot be carried over to those who are left; --resume goes on from the last"
                + " checkpoint.");
      }
      NativeView.copy(entry.address(), memory.address(), entry.bytes());
    }
    state.broadcast(
        group, Strategies.ranksWithoutSamples(run.task.plan().strategy(), group.size()));
    free();
    Checkpoints.Position last = all.position();
    return new Checkpoints.Position(
        last.sampler(),
        last.steps(),
        last.lossSum() * all.workers() / workers(run),
        last.skipped());
  }

  /** Where one rank heard of a loss later than another, what they have does not fit together. */
  private void checkSameStep(long steps) {
    long[] both = group.allReduce(new long[] {steps, -steps}, ReduceOp.MAX);
    if (both[0] != -both[1]) {
      throw new TrainingException(
          "Ranks are gone, and the others have heard of it after different steps, "
              + -both[1]
              + " to "
              + both[0]
              + "; --resume goes on from the last checkpoint.");
    }
  }

  /** Ranks of the present group that are given samples. */
  private int workers(TrainingAssembly run) {
    return group.size() - Strategies.ranksWithoutSamples(run.task.plan().strategy(), group.size());
  }

  private void free() {
    kept.values().forEach(NativeMemory::close);
    kept.clear();
  }

  private void closeGroup() {
    if (group != first) {
      group.close();
    }
  }

  @Override
  public void close() {
    free();
    closeGroup();
  }
}
