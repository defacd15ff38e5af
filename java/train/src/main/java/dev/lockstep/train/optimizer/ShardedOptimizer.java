package dev.lockstep.train.optimizer;

import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.memory.Shard;
import dev.lockstep.train.memory.SlicedLayout;
import java.util.List;

/**
 * Updates slices of the parameters, and keeps state of these alone; other ranks have the rest
 * (Rajbhandari et al. 2020, "ZeRO: Memory optimizations toward training trillion parameter models",
 * stage 1). It is told of all parameters that a step updates, so that steps are counted alike on
 * all ranks.
 */
public class ShardedOptimizer extends LocalOptimizer {
  private final List<Shard> shards;

  /** For each shard, the place of this rank's first element in the state. */
  private final List<Long> places;

  private final SlicedLayout slices;

  /**
   * Makes the state of this rank's parts of some shards.
   *
   * @param shards in which all parameters lie, each tensor in one
   * @param gradients of this rank's parts, laid out as {@link #sliceLayout}
   */
  public ShardedOptimizer(
      OptimizerConfig config,
      FlatParameters parameters,
      List<Shard> shards,
      FlatBuffers gradients) {
    this(config, parameters.layout(), shards, parameters.values(), gradients);
  }

  ShardedOptimizer(
      OptimizerConfig config,
      FlatLayout layout,
      List<Shard> shards,
      FlatBuffers values,
      FlatBuffers gradients) {
    super(config, layout, sliceLayout(shards, stateLayout(layout)), values, gradients, null);
    this.shards = List.copyOf(shards);
    slices = new SlicedLayout(layout, shards);
    places = slices.places();
  }

  /** The layout of memory for this rank's parts alone, those of a group end to end. */
  public static FlatLayout sliceLayout(List<Shard> shards, FlatLayout whole) {
    return new SlicedLayout(whole, shards).own();
  }

  @Override
  long gradientAddress(ParameterRange range) {
    return stateAddress(gradients(), range);
  }

  @Override
  void scale(ParameterRange range, double factor) {
    for (Shard shard : shards) {
      ParameterRange own = intersection(range, shard.own());
      if (own.count() > 0) {
        super.scale(own, factor);
      }
    }
  }

  @Override
  void sgd(ParameterRange range, long step, double learningRate) {
    for (Shard shard : shards) {
      ParameterRange own = intersection(range, shard.own());
      if (own.count() > 0) {
        super.sgd(own, step, learningRate);
      }
    }
  }

  @Override
  void adam(ParameterRange range, long step, double learningRate) {
    for (Shard shard : shards) {
      ParameterRange own = intersection(range, shard.own());
      if (own.count() > 0) {
        super.adam(own, step, learningRate);
      }
    }
  }

  /** What two ranges have in common; where that is nothing, a range of no elements. */
  private static ParameterRange intersection(ParameterRange a, ParameterRange b) {
    long from = Math.max(a.from(), b.from());
    long end = Math.min(a.from() + a.count(), b.from() + b.count());
    return new ParameterRange(
        a.group(), from, a.group() == b.group() ? Math.max(0, end - from) : 0);
  }

  @Override
  long stateAddress(FlatBuffers flat, ParameterRange range) {
    for (int i = 0; i < shards.size(); i++) {
      if (intersection(range, shards.get(i).own()).count() == range.count()) {
        return address(flat, stateRange(i, range));
      }
    }
    throw new IllegalArgumentException(range + " does not lie in one part of this rank");
  }

  /** Where in the state a range lies that is in this rank's part of a shard. */
  private ParameterRange stateRange(int shard, ParameterRange range) {
    long from = places.get(shard) + range.from() - shards.get(shard).own().from();
    return new ParameterRange(range.group(), from, range.count());
  }

  /** Under the names that a whole optimiser's state has, so that either goes on from the other. */
  @Override
  public void declare(TrainingState all) {
    state().forEach((name, flat) -> all.sharded("optimizer." + name + ".", flat, slices));
    declareSteps(all);
  }
}
