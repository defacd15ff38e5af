package dev.lockstep.train;

import dev.lockstep.comm.NativeMemory;
import dev.lockstep.jni.Native;
import dev.lockstep.train.FlatLayout.Group;
import dev.lockstep.train.OptimizerConfig.Type;

/** Every rank updates all of its own parameters. */
final class LocalOptimizer extends Optimizer {
  LocalOptimizer(OptimizerConfig config, FlatParameters parameters) {
    super(config, parameters, NativeMemory::allocate);
  }

  @Override
  void sgd(int index, Group group, double learningRate) {
    FlatBuffers momentum = state().get("momentum");
    Native.sgd_step(
        parameters.values().address(index),
        parameters.gradients().address(index),
        momentum == null ? 0 : momentum.address(index),
        group.count(),
        group.dataType().code(),
        steps(),
        learningRate,
        config.momentum(),
        config.dampening(),
        config.weightDecay(),
        config.nesterov());
  }

  @Override
  void adam(int index, Group group, double learningRate) {
    Native.adam_step(
        parameters.values().address(index),
        parameters.gradients().address(index),
        state().get("first_moment").address(index),
        state().get("second_moment").address(index),
        group.count(),
        group.dataType().code(),
        steps(),
        learningRate,
        config.beta1(),
        config.beta2(),
        config.epsilon(),
        config.weightDecay(),
        config.type() == Type.ADAMW);
  }
}
