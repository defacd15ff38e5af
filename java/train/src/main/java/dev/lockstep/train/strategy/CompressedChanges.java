package dev.lockstep.train.strategy;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.Work;
import dev.lockstep.train.compression.Compression;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.compression.RangeSum;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.ParameterRange;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Fragments' changes, averaged in compressed form. Each rank sends its part of the mean, so that
 * only the sum of what the ranks have lost counts, as of gradients. One thread.
 */
final class CompressedChanges implements Stateful, AutoCloseable {
  private final Compression compression;
  private final double rate;
  private final Map<ParameterRange, RangeSum> sums = new HashMap<>();

  /**
   * Takes the memory.
   *
   * @param rate of the outer steps
   * @param change whose ranges hold 1 ÷ ranks of this rank's change, and then the mean
   */
  CompressedChanges(
      CompressionConfig config,
      double rate,
      Communicator group,
      FlatBuffers change,
      List<ParameterRange> ranges) {
    this.rate = rate;
    compression = new Compression(config, group, change, ranges);
    try {
      ranges.forEach(range -> sums.put(range, compression.sum(range)));
    } catch (RuntimeException e) {
      compression.close();
      throw e;
    }
  }

  private RangeSum sum(ParameterRange range) {
    return Objects.requireNonNull(sums.get(range), "a range of a fragment");
  }

  /**
   * Begins to average a range.
   *
   * @param step from which random numbers follow
   */
  Work start(ParameterRange range, long step) {
    return sum(range).start(step, compression.carry());
  }

  /** The first exchanges of these ranges have ended: waits for the second, if there are any. */
  void finish(List<ParameterRange> ranges) {
    List<Work> second = new ArrayList<>();
    for (ParameterRange range : ranges) {
      Work next = sum(range).proceed();
      if (next != null) {
        second.add(next);
      }
    }
    second.forEach(Work::await);
    ranges.forEach(range -> sum(range).finish());
  }

  @Override
  public void declare(TrainingState state) {
    compression.declare(state);
    state.onRestored(() -> compression.fixRate(rate));
  }

  @Override
  public void close() {
    compression.close();
  }
}
