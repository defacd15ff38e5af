package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.NativeMemory;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.memory.Shard;
import dev.lockstep.train.optimizer.Optimizer;
import dev.lockstep.train.optimizer.ShardedOptimizer;
import dev.lockstep.train.optimizer.SliceOptimizer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;

/**
 * The part of the parameters that one rank keeps, with its optimiser: of each flat buffer a range
 * of elements, which may be of none. One thread at a time.
 */
final class ServedSlice implements Stateful, AutoCloseable {
  private final FlatLayout whole;
  private final List<Shard> shards;
  private final FlatBuffers values;
  private final SliceOptimizer optimizer;
  private long version;

  /**
   * Takes the memory.
   *
   * @param whole the layout of all parameters
   * @param rank whose part this is
   * @param servers the ranks that have one, from 0 on
   */
  ServedSlice(OptimizerConfig config, FlatLayout whole, int rank, int servers) {
    this.whole = whole;
    shards = shards(whole, rank, servers);
    values = new FlatBuffers(layout(), NativeMemory::allocate);
    try {
      optimizer = new SliceOptimizer(config, whole, shards, values);
    } catch (RuntimeException e) {
      values.close();
      throw e;
    }
  }

  /** One for each flat buffer; for a rank that serves nothing, of no elements. */
  static List<Shard> shards(FlatLayout whole, int rank, int servers) {
    List<Shard> shards = new ArrayList<>();
    for (ParameterRange range : whole.everything()) {
      long unit = FlatLayout.ALIGNMENT / whole.groups().get(range.group()).elementBytes();
      Shard cut = Shard.cut(range, unit, Math.min(rank, servers - 1), servers);
      shards.add(
          rank < servers
              ? cut
              : new Shard(
                  range, new ParameterRange(range.group(), range.count(), 0), cut.counts()));
    }
    return shards;
  }

  private FlatLayout layout() {
    return ShardedOptimizer.sliceLayout(shards, whole);
  }

  /** Memory for gradients of this part, or for a copy of its values. */
  FlatBuffers buffers() {
    return new FlatBuffers(layout(), NativeMemory::allocate);
  }

  /** One for each flat buffer. */
  List<Shard> shards() {
    return shards;
  }

  /** How many updates it has had. */
  long version() {
    return version;
  }

  /** Takes this part of the whole parameters' values. */
  void load(FlatBuffers all) {
    copyPart(all, values);
  }

  /** Copies this part of the whole into a buffer. */
  void copyPart(FlatBuffers all, FlatBuffers part) {
    for (Shard shard : shards) {
      int group = shard.own().group();
      NativeView.copy(
          part.address(group),
          Optimizer.address(all, shard.own()),
          part.layout().groups().get(group).bytes());
    }
  }

  /** Copies a buffer into this part of the whole. */
  void putPart(FlatBuffers part, FlatBuffers all) {
    for (Shard shard : shards) {
      int group = shard.own().group();
      NativeView.copy(
          Optimizer.address(all, shard.own()),
          part.address(group),
          part.layout().groups().get(group).bytes());
    }
  }

  /** This part's values. */
  FlatBuffers values() {
    return values;
  }

  void copyValues(FlatBuffers to) {
    to.copyFrom(values);
  }

  /**
   * Takes one step.
   *
   * @param used the parameters that the gradients are of, by index in the whole
   */
  void apply(BitSet used, FlatBuffers gradients, double learningRate) {
    optimizer.apply(whole.ranges(used), gradients, learningRate);
    version++;
  }

  /** {@code sum += term}. */
  static void add(FlatBuffers sum, FlatBuffers term) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < sum.layout().groups().size(); g++) {
        if (sum.layout().groups().get(g).count() > 0) {
          sum.whole(g).add_(term.whole(g));
        }
      }
    }
  }

  static void scale(FlatBuffers all, double factor) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < all.layout().groups().size(); g++) {
        if (all.layout().groups().get(g).count() > 0) {
          all.whole(g).mul_(new Scalar(factor));
        }
      }
    }
  }

  /** The optimiser's state; values are equal to the model's whenever that is saved. */
  @Override
  public void declare(TrainingState state) {
    optimizer.declare(state);
  }

  @Override
  public void close() {
    optimizer.close();
    values.close();
  }
}
