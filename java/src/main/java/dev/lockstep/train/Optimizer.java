package dev.lockstep.train;

import dev.lockstep.comm.NativeMemory;
import dev.lockstep.model.FloatType;
import dev.lockstep.train.FlatLayout.Group;
import dev.lockstep.train.OptimizerConfig.Type;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongFunction;

/**
 * Turns gradients into new parameters, in one native pass over each flat buffer. Its state
 * (momentum, moments) has the parameters' layout, in float64 for float64 parameters and in float32
 * for all others.
 *
 * <p>Not thread-safe.
 */
abstract class Optimizer implements AutoCloseable {
  final OptimizerConfig config;
  final FlatParameters parameters;
  private final Map<String, FlatBuffers> state = new LinkedHashMap<>();
  private long steps;

  /**
   * @param allocate gives the state's memory
   */
  Optimizer(
      OptimizerConfig config, FlatParameters parameters, LongFunction<NativeMemory> allocate) {
    this.config = config;
    this.parameters = parameters;
    FlatLayout layout = stateLayout(parameters.layout());
    if (config.type() != Type.SGD) {
      state.put("first_moment", new FlatBuffers(layout, allocate));
      state.put("second_moment", new FlatBuffers(layout, allocate));
    } else if (config.momentum() > 0) {
      state.put("momentum", new FlatBuffers(layout, allocate));
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

  abstract void sgd(int index, Group group, double learningRate);

  abstract void adam(int index, Group group, double learningRate);

  @Override
  public void close() {
    state.values().forEach(FlatBuffers::close);
  }
}
