package dev.lockstep.train.optimizer;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lockstep.checkpoint.Placement;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.jni.Native;
import dev.lockstep.model.FloatType;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.OptimizerConfig.Type;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.engine.Update;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.ParameterRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Turns gradients into new parameters, in one native pass over each range. Its state (momentum,
 * moments) has the parameters' layout, in float64 for float64 parameters and in float32 for all
 * others.
 *
 * <p>As in {@code torch.optim}, a parameter that a step leaves out keeps its value and its state,
 * and does not count that step. Not thread-safe.
 */
public abstract class Optimizer implements Update {
  final OptimizerConfig config;
  final FlatLayout layout;
  private final Map<String, FlatBuffers> state = new LinkedHashMap<>();

  /** Steps of each parameter; of an element range, those of its first parameter. */
  private long[] steps;

  /** Whether all parameters have taken equally many steps, as they nearly always have. */
  private boolean uniform = true;

  /** What marks a parameter as counted in the present step. */
  private final long[] counted;

  private long applied;

  /** What the present step has updated already. */
  private final List<ParameterRange> ahead = new ArrayList<>();

  private final Placement.@Nullable Resize ofEachRank;

  /**
   * Makes the state, all zero.
   *
   * @param layout of the parameters
   * @param stateLayout of the state; that of the parameters, or of a part of them
   * @param allocate gives the state's memory
   * @param ofEachRank what another number of ranks makes of state that each rank has of its own;
   *     null for state that is equal on all ranks whenever it is saved
   */
  Optimizer(
      OptimizerConfig config,
      FlatLayout layout,
      FlatLayout stateLayout,
      LongFunction<NativeMemory> allocate,
      Placement.@Nullable Resize ofEachRank) {
    this.ofEachRank = ofEachRank;
    this.config = config;
    this.layout = layout;
    steps = new long[layout.slots().size()];
    counted = new long[layout.slots().size()];
    List<String> names = stateNames(config);
    List<FlatBuffers> buffers = FlatBuffers.several(names.size(), stateLayout, allocate);
    for (int i = 0; i < names.size(); i++) {
      state.put(names.get(i), buffers.get(i));
    }
  }

  private static List<String> stateNames(OptimizerConfig config) {
    if (config.type() != Type.SGD) {
      return List.of("first_moment", "second_moment");
    }
    return config.momentum() > 0 ? List.of("momentum") : List.of();
  }

  /** The layout of state of parameters: in float64 for float64, in float32 for all others. */
  public static FlatLayout stateLayout(FlatLayout layout) {
    return new FlatLayout(
        layout.slots(), layout.groups().stream().map(Optimizer::stateGroup).toList());
  }

  private static Group stateGroup(Group group) {
    return FloatType.of(group.type()) == FloatType.FLOAT64
        ? group
        : new Group(FloatType.FLOAT32.scalarType(), Float.BYTES, group.count());
  }

  /** State by name; live memory. */
  public Map<String, FlatBuffers> state() {
    return state;
  }

  /** State that this optimiser has. */
  FlatBuffers state(String name) {
    return requireNonNull(state.get(name), name);
  }

  @Override
  public void applyAhead(ParameterRange range, double learningRate) {
    update(range, learningRate);
    ahead.add(range);
  }

  @Override
  public void apply(List<ParameterRange> owned, double learningRate, double gradientScale) {
    if (gradientScale != 1 && !ahead.isEmpty()) {
      throw new IllegalStateException("Gradients are scaled that have been used unscaled");
    }
    applied++;
    uniform &= coversAll(owned);
    for (ParameterRange range : ParameterRange.without(owned, ahead)) {
      if (gradientScale != 1) {
        scale(range, gradientScale);
      }
      update(range, learningRate);
    }
    ahead.clear();
    count(owned);
  }

  private void update(ParameterRange range, double learningRate) {
    if (uniform) {
      kernel(range, steps[0] + 1, learningRate);
    } else {
      applyByParameter(range, learningRate);
    }
  }

  /** Multiplies a range's gradients. */
  void scale(ParameterRange range, double factor) {
    Native.scale(gradientAddress(range), range.count(), dataType(range).code(), factor);
  }

  private boolean coversAll(List<ParameterRange> owned) {
    return owned.size() == layout.groups().size()
        && owned.stream().allMatch(r -> r.count() == layout.groups().get(r.group()).count());
  }

  /** Cuts a range where neighbouring parameters have taken different numbers of steps. */
  private void applyByParameter(ParameterRange range, double learningRate) {
    long end = range.from() + range.count();
    long from = range.from();
    long stepsOfRun = -1;
    for (int i = 0; i < steps.length; i++) {
      Slot slot = layout.slots().get(i);
      if (!overlaps(slot, range)) {
        continue;
      }
      if (stepsOfRun >= 0 && steps[i] != stepsOfRun) {
        kernel(
            new ParameterRange(range.group(), from, slot.offset() - from),
            stepsOfRun + 1,
            learningRate);
        from = slot.offset();
      }
      stepsOfRun = steps[i];
    }
    if (stepsOfRun >= 0) {
      kernel(new ParameterRange(range.group(), from, end - from), stepsOfRun + 1, learningRate);
    }
  }

  private void count(List<ParameterRange> owned) {
    if (uniform) {
      Arrays.fill(steps, steps[0] + 1);
      return;
    }
    for (ParameterRange range : owned) {
      for (int i = 0; i < steps.length; i++) {
        if (counted[i] != applied && overlaps(layout.slots().get(i), range)) {
          counted[i] = applied;
          steps[i]++;
        }
      }
    }
  }

  private static boolean overlaps(Slot slot, ParameterRange range) {
    return slot.group() == range.group()
        && slot.offset() < range.from() + range.count()
        && slot.offset() + Math.max(1, slot.count()) > range.from();
  }

  /**
   * Updates one range whose parameters have taken equally many steps.
   *
   * @param step 1 for the first step
   */
  private void kernel(ParameterRange range, long step, double learningRate) {
    if (config.type() == Type.SGD) {
      sgd(range, step, learningRate);
    } else {
      adam(range, step, learningRate);
    }
  }

  /** The address of a range's first gradient. */
  abstract long gradientAddress(ParameterRange range);

  /** The type of a range's elements. */
  final DataType dataType(ParameterRange range) {
    return layout.groups().get(range.group()).dataType();
  }

  abstract void sgd(ParameterRange range, long step, double learningRate);

  abstract void adam(ParameterRange range, long step, double learningRate);

  /** The address of the state of a range's first element. */
  long stateAddress(FlatBuffers flat, ParameterRange range) {
    return address(flat, range);
  }

  /** The address of a range's first element in flat memory of the parameters' layout. */
  public static long address(FlatBuffers flat, ParameterRange range) {
    return flat.address(range.group())
        + range.from() * flat.layout().groups().get(range.group()).elementBytes();
  }

  @Override
  public void declare(TrainingState all) {
    state.forEach(
        (name, flat) -> {
          if (ofEachRank == null) {
            all.replicated("optimizer." + name + ".", flat);
          } else {
            all.perRank("optimizer." + name + ".", flat, ofEachRank);
          }
        });
    declareSteps(all);
  }

  final void declareSteps(TrainingState all) {
    all.value("optimizer_steps", this::savedSteps, this::restoreSteps);
  }

  /** One number where all parameters have taken equally many steps, else one for each. */
  JsonNode savedSteps() {
    ArrayNode saved = JsonNodeFactory.instance.arrayNode();
    boolean equal = Arrays.stream(steps).allMatch(count -> count == steps[0]);
    Arrays.stream(steps).limit(equal ? 1 : steps.length).forEach(saved::add);
    return saved;
  }

  void restoreSteps(JsonNode saved) {
    uniform = saved.size() == 1;
    for (int i = 0; i < steps.length; i++) {
      steps[i] = saved.path(uniform ? 0 : i).asLong();
    }
  }

  /** Gives each parameter the most steps that any rank has taken with it; collective. */
  public void agreeOnSteps(Communicator communicator) {
    steps = communicator.allReduce(steps, ReduceOp.MAX);
    uniform = Arrays.stream(steps).allMatch(count -> count == steps[0]);
  }

  @Override
  public void close() {
    state.values().forEach(FlatBuffers::close);
  }
}
