package dev.lockstep.train.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.checkpoint.Placement;
import dev.lockstep.checkpoint.TensorType;
import dev.lockstep.comm.Communicator;
import dev.lockstep.train.TrainingException;
import dev.lockstep.train.memory.Distribution;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.ModelMemory;
import dev.lockstep.train.memory.ParameterRange;
import dev.lockstep.train.memory.SlicedLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * All that a run's parts save and restore: each names its own. What is large are tensors in memory
 * that the part keeps; what is small are JSON values. Not thread-safe.
 */
public final class TrainingState {
  /** One tensor, or this rank's part of one; of one that only others hold, the address is 0. */
  public record Entry(
      String name,
      TensorType type,
      List<Long> shape,
      long address,
      long bytes,
      Placement placement) {}

  /**
   * Memory that is made equal to that of one rank.
   *
   * @param group whose first rank that is; null for the whole run
   */
  private record Copies(FlatBuffers flat, @Nullable Communicator group) {}

  private record Value(Supplier<JsonNode> save, Consumer<JsonNode> restore) {}

  private final List<Entry> entries = new ArrayList<>();
  private final List<Copies> replicated = new ArrayList<>();
  private final Map<String, Value> values = new LinkedHashMap<>();
  private final List<Runnable> restored = new ArrayList<>();

  /**
   * Tensors that are equal on all ranks whenever the state is saved; one entry for each, named by
   * the prefix and its own name.
   */
  public void replicated(String prefix, FlatBuffers flat) {
    addAll(prefix, flat, Placement.REPLICATED);
    replicated.add(new Copies(flat, null));
  }

  /**
   * As {@link #replicated}, of copies of a model's tensors where ranks may have only some, or parts
   * of each.
   *
   * @param live what it is a copy of
   */
  public void ofModel(String prefix, FlatBuffers flat, ModelMemory live) {
    if (live.slices().isPresent()) {
      sharded(prefix, flat, live.slices().get());
    } else if (live.distribution().isPresent()) {
      distributed(prefix, flat, live.distribution().get());
    } else {
      replicated(prefix, flat);
    }
  }

  /**
   * Tensors of which this rank has some and other ranks the others. A checkpoint holds them as it
   * does {@link #replicated} ones, so that either is restored from the other's.
   *
   * @param flat this rank's, in the order of the whole
   */
  public void distributed(String prefix, FlatBuffers flat, Distribution distribution) {
    FlatLayout whole = distribution.whole();
    Map<String, Slot> own = new HashMap<>();
    flat.layout().slots().forEach(slot -> own.put(slot.name(), slot));
    for (int i = 0; i < whole.slots().size(); i++) {
      Slot slot = whole.slots().get(i);
      Slot mine = own.get(slot.name());
      Group group = whole.groups().get(slot.group());
      entries.add(
          new Entry(
              prefix + slot.name(),
              type(group.type(), prefix + slot.name()),
              Arrays.stream(slot.shape()).boxed().toList(),
              mine == null ? 0 : flat.address(mine),
              slot.count() * group.elementBytes(),
              new Placement.Held(distribution.holders().get(i))));
    }
    replicated.add(new Copies(flat, distribution.replicas()));
  }

  /**
   * Tensors of which each rank has its own.
   *
   * @param rule what another number of ranks makes of them
   */
  public void perRank(String prefix, FlatBuffers flat, Placement.Resize rule) {
    addAll(prefix, flat, new Placement.PerRank(rule));
  }

  /**
   * This rank's part of elements that exist once among all ranks. The ranks' parts lie one behind
   * the other and cover the whole; another number of ranks may cut it elsewhere.
   *
   * @param range where the part lies in {@code flat}
   * @param from the part's first element in the whole
   * @param total elements of the whole
   */
  public void sharded(String name, FlatBuffers flat, ParameterRange range, long from, long total) {
    int bytes = flat.layout().groups().get(range.group()).elementBytes();
    entries.add(
        new Entry(
            name,
            type(flat.layout().groups().get(range.group()).type(), name),
            List.of(range.count()),
            flat.address(range.group()) + range.from() * bytes,
            range.count() * bytes,
            new Placement.Sharded(from, total)));
  }

  /**
   * This rank's parts of tensors of which each rank has a part. A checkpoint holds them as it does
   * {@link #replicated} ones, so that either is restored from the other's.
   *
   * @param flat of the layout {@link SlicedLayout#own}, or of that with other element types
   */
  public void sharded(String prefix, FlatBuffers flat, SlicedLayout slices) {
    for (SlicedLayout.Part part : slices.parts()) {
      Slot slot = slices.whole().slots().get(part.tensor());
      sharded(prefix + slot.name(), flat, part.place(), part.from(), slot.count());
    }
  }

  /** A small value that is equal on all ranks. */
  public void value(String name, Supplier<JsonNode> save, Consumer<JsonNode> restore) {
    if (values.put(name, new Value(save, restore)) != null) {
      throw new IllegalArgumentException("Two parts of the run save a value named " + name + ".");
    }
  }

  /** Runs after everything has been restored, or made equal to rank 0's. */
  public void onRestored(Runnable action) {
    restored.add(action);
  }

  private void addAll(String prefix, FlatBuffers flat, Placement placement) {
    for (Slot slot : flat.layout().slots()) {
      entries.add(
          new Entry(
              prefix + slot.name(),
              type(flat.layout().groups().get(slot.group()).type(), prefix + slot.name()),
              Arrays.stream(slot.shape()).boxed().toList(),
              flat.address(slot),
              slot.count() * flat.elementBytes(slot),
              placement));
    }
  }

  public List<Entry> entries() {
    return List.copyOf(entries);
  }

  /** The small values, as they are now. */
  public ObjectNode values() {
    ObjectNode all = JsonNodeFactory.instance.objectNode();
    values.forEach((name, value) -> all.set(name, value.save().get()));
    return all;
  }

  /**
   * Gives each part the values that it saved.
   *
   * @throws TrainingException if one is missing
   */
  public void restoreValues(JsonNode saved) {
    values.forEach(
        (name, value) -> {
          if (!saved.has(name)) {
            throw new TrainingException("The checkpoint does not hold " + name + ".");
          }
          value.restore().accept(saved.get(name));
        });
  }

  /** Makes what is replicated equal to rank 0's; collective. */
  public void broadcast(Communicator communicator) {
    broadcast(communicator, 0);
  }

  /** Makes what is replicated equal to one rank's; collective. */
  public void broadcast(Communicator communicator, int from) {
    for (Copies copies : replicated) {
      Communicator group = copies.group();
      if (group == null) {
        copies.flat().broadcast(communicator, from);
      } else {
        copies.flat().broadcast(group);
      }
    }
    restored.forEach(Runnable::run);
  }

  private static TensorType type(ScalarType type, String name) {
    return switch (type) {
      case Float -> TensorType.F32;
      case Double -> TensorType.F64;
      case Half -> TensorType.F16;
      case BFloat16 -> TensorType.BF16;
      case Long -> TensorType.I64;
      case Int -> TensorType.I32;
      case Short -> TensorType.I16;
      case Char -> TensorType.I8;
      case Byte -> TensorType.U8;
      case Bool -> TensorType.BOOL;
      default ->
          throw new TrainingException(
              "The tensor "
                  + name
                  + " is of type "
                  + type
                  + ", which checkpoints cannot hold; use a real floating or integer type.");
    };
  }
}
