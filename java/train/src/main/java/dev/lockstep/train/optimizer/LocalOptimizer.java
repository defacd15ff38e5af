package dev.lockstep.train.optimizer;

import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.jni.Native;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.OptimizerConfig.Type;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ParameterRange;
import org.jspecify.annotations.Nullable;

/** Every rank updates parameters of its own. */
public class LocalOptimizer extends Optimizer {
  private final FlatBuffers values;
  private final FlatBuffers gradients;

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
    this(config, parameters.values(), parameters.gradients(), ofEachRank);
  }

  /**
   * Of parameters that need belong to no model.
   *
   * @param gradients of the values' layout
   * @param ofEachRank as above
   */
  public LocalOptimizer(
      OptimizerConfig config,
      FlatBuffers values,
      FlatBuffers gradients,
      Placement.@Nullable Resize ofEachRank) {
    this(config, values.layout(), stateLayout(values.layout()), values, gradients, ofEachRank);
  }

  /** With a layout of which the memory may hold a part. */
  LocalOptimizer(
      OptimizerConfig config,
      FlatLayout layout,
      FlatLayout stateLayout,
      FlatBuffers values,
      FlatBuffers gradients,
      Placement.@Nullable Resize ofEachRank) {
    super(config, layout, stateLayout, NativeMemory::allocate, ofEachRank);
    this.values = values;
    this.gradients = gradients;
  }

  /** The parameters, or what of them has memory here. */
  final FlatBuffers values() {
    return values;
  }

  /** The gradients, or what of them has memory here. */
  final FlatBuffers gradients() {
    return gradients;
  }

  /** The address of a range's first parameter. */
  long parameterAddress(ParameterRange range) {
    return address(values, range);
  }

  @Override
  long gradientAddress(ParameterRange range) {
    return address(gradients, range);
  }

  @Override
  void sgd(ParameterRange range, long step, double learningRate) {
    FlatBuffers momentum = state().get("momentum");
    Native.sgd_step(
        parameterAddress(range),
        gradientAddress(range),
        momentum == null ? 0 : stateAddress(momentum, range),
        range.count(),
        dataType(range).code(),
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
        parameterAddress(range),
        gradientAddress(range),
        stateAddress(state("first_moment"), range),
        stateAddress(state("second_moment"), range),
        range.count(),
        dataType(range).code(),
        step,
        learningRate,
        config.beta1(),
        config.beta2(),
        config.epsilon(),
        config.weightDecay(),
        config.type() == Type.ADAMW);
  }
}
