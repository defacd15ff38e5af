package dev.lockstep.train.optimizer;

import dev.lockstep.comm.NativeMemory;
import dev.lockstep.jni.Native;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.OptimizerConfig.Type;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ParameterRange;

/** Every rank updates parameters of its own. */
public final class LocalOptimizer extends Optimizer {
  public LocalOptimizer(OptimizerConfig config, FlatParameters parameters) {
    super(config, parameters, NativeMemory::allocate);
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
        momentum == null ? 0 : address(momentum, range),
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
        address(state().get("first_moment"), range),
        address(state().get("second_moment"), range),
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
