package dev.lockstep.train.optimizer;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.jni.Native;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.OptimizerConfig.Type;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ParameterRange;
import org.jspecify.annotations.Nullable;

/** Every rank updates parameters of its own. */
public class LocalOptimizer extends Optimizer {
  /** Whose state is equal on all ranks whenever it is saved. */
  public LocalOptimizer(OptimizerConfig config, FlatParameters parameters) {
    this(config, parameters, null);
  }

  /**
   * Whose state each rank has of its own.
   *
   * @param ofEachRank what another number of ranks makes of it; null if it is equal on all ranks
   */
  public LocalOptimizer(
      OptimizerConfig config, FlatParameters parameters, Placement.@Nullable Resize ofEachRank) {
    this(config, parameters, stateLayout(parameters.layout()), ofEachRank);
  }

  LocalOptimizer(
      OptimizerConfig config,
      FlatParameters parameters,
      FlatLayout stateLayout,
      Placement.@Nullable Resize ofEachRank) {
    super(config, parameters, stateLayout, NativeMemory::allocate, ofEachRank);
  }

  private Group group(ParameterRange range) {
    return parameters.layout().groups().get(range.group());
  }

  @Override
  void sgd(ParameterRange range, long step, double learningRate) {
    FlatBuffers momentum = state().get("momentum");
    Native.sgd_step(
        address(parameters.values(), range),
        address(parameters.gradients(), range),
        momentum == null ? 0 : stateAddress(momentum, range),
        range.count(),
        group(range).dataType().code(),
        step,
        learningRate,
        config.momentum(),
        config.dampening(),
        config.weightDecay(),
        config.nesterov());
  }

  @Override
  void adam(ParameterRange range, long step, double learningRate) {
    Native.adam_step(
        address(parameters.values(), range),
        address(parameters.gradients(), range),
        stateAddress(state().get("first_moment"), range),
        stateAddress(state().get("second_moment"), range),
        range.count(),
        group(range).dataType().code(),
        step,
        learningRate,
        config.beta1(),
        config.beta2(),
        config.epsilon(),
        config.weightDecay(),
        config.type() == Type.ADAMW);
  }
}
