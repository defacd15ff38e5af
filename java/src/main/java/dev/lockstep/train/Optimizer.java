package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.jni.Native;
import dev.lockstep.model.FloatType;
import dev.lockstep.train.FlatLayout.Group;
import dev.lockstep.train.OptimizerConfig.Type;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Turns gradients into new parameters, in one native pass over each flat buffer. Its state
 * (momentum, moments) has the parameters' layout, in float64 for float64 parameters and in float32
 * for all others.
 *
 * <p>Not thread-safe.
 */
final class Optimizer implements AutoCloseable {
  private final OptimizerConfig config;
  private final FlatParameters parameters;
  private final Map<String, FlatBuffers> state = new LinkedHashMap<>();
  private long steps;

  Optimizer(OptimizerConfig config, FlatParameters parameters, Communicator communicator) {
    this.config = config;
    this.parameters = parameters;
    FlatLayout layout = stateLayout(parameters.layout());
    if (config.type() != Type.SGD) {
      state.put("first_moment", new FlatBuffers(layout, communicator));
      state.put("second_moment", new FlatBuffers(layout, communicator));
    } else if (config.momentum() > 0) {
      state.put("momentum", new FlatBuffers(layout, communicator));
    }
  }

  private static FlatLayout stateLayout(FlatLayout layout) {
    return new FlatLayout(
        layout.slots(), layout.groups().stream().map(Optimizer::stateGroup).toList());
  }

  private static Group stateGroup(Group group) {
    return FloatType.of(group.type()) == FloatType.FLOAT64
        ? group
        : new Group(FloatType.FLOAT32.scalarType(), Float.BYTES, group.count());
  }

  /** State by name, for checkpoints and averages; live memory. */
  Map<String, FlatBuffers> state() {
    return state;
  }

  /** Steps taken, those before a resume included. */
  long steps() {
    return steps;
  }

  /** Goes on as after {@code steps} steps; the caller restores {@link #state}. */
  void resumeAfter(long steps) {
    this.steps = steps;
  }

  /** One step along the gradients. */
  void step(double learningRate) {
    steps++;
    for (int i = 0; i < parameters.layout().groups().size(); i++) {
      Group group = parameters.layout().groups().get(i);
      if (config.type() == Type.SGD) {
        sgd(i, group, learningRate);
      } else {
        adam(i, group, learningRate);
      }
    }
  }

  private void sgd(int index, Group group, double learningRate) {
    FlatBuffers momentum = state.get("momentum");
    Native.sgd_step(
        parameters.values().address(index),
        parameters.gradients().address(index),
        momentum == null ? 0 : momentum.address(index),
        group.count(),
        group.dataType().code(),
        steps,
        learningRate,
        config.momentum(),
        config.dampening(),
        config.weightDecay(),
        config.nesterov());
  }

  private void adam(int index, Group group, double learningRate) {
    Native.adam_step(
        parameters.values().address(index),
        parameters.gradients().address(index),
        state.get("first_moment").address(index),
        state.get("second_moment").address(index),
        group.count(),
        group.dataType().code(),
        steps,
        learningRate,
        config.beta1(),
        config.beta2(),
        config.epsilon(),
        config.weightDecay(),
        config.type() == Type.ADAMW);
  }

  @Override
  public void close() {
    state.values().forEach(FlatBuffers::close);
  }
}
