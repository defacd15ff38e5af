package dev.lockstep.train.optimizer;

import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.memory.Shard;
import java.util.List;

/**
 * Updates this rank's parts of parameters where only these parts have memory, as on a parameter
 * server or where parameters are sharded, with gradients in buffers of the same layout. State is
 * saved as that of a {@link ShardedOptimizer}.
 */
public final class SliceOptimizer extends ShardedOptimizer {
  private FlatBuffers source;

  /**
   * Makes the state.
   *
   * @param layout of the whole parameters
   * @param shards in which all parameters lie, each tensor in one
   * @param values this rank's parts, laid out as {@link #sliceLayout}
   */
  public SliceOptimizer(
      OptimizerConfig config, FlatLayout layout, List<Shard> shards, FlatBuffers values) {
    this(config, layout, shards, values, values);
  }

  /**
   * As the other.
   *
   * @param gradients of the values' layout, for steps that name no others
   */
  public SliceOptimizer(
      OptimizerConfig config,
      FlatLayout layout,
      List<Shard> shards,
      FlatBuffers values,
      FlatBuffers gradients) {
    super(config, layout, shards, values, gradients);
    source = gradients;
  }

  /**
   * Takes one step.
   *
   * @param updated in the whole parameters; of these, this rank's parts change, and all are counted
   * @param gradients of this rank's parts
   */
  public void apply(List<ParameterRange> updated, FlatBuffers gradients, double learningRate) {
    source = gradients;
    apply(updated, learningRate, 1);
  }

  @Override
  long parameterAddress(ParameterRange range) {
    return stateAddress(values(), range);
  }

  @Override
  long gradientAddress(ParameterRange range) {
    return stateAddress(source, range);
  }
}
