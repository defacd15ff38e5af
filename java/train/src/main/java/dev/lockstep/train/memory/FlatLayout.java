package dev.lockstep.train.memory;

import dev.lockstep.comm.DataType;
import dev.lockstep.model.ModelTensor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Where each of several tensors lies when all of one element type share one buffer. Every tensor
 * starts on a 64-byte boundary, as vector instructions like it; what lies between is zero.
 *
 * @param slots one for each tensor, in the tensors' order
 * @param groups one for each element type, in the order in which the types come
 */
public record FlatLayout(List<Slot> slots, List<Group> groups) {
  /** Tensors begin on multiples of this. */
  public static final int ALIGNMENT = 64;

  /**
   * A tensor's place.
   *
   * @param group index of its buffer
   * @param offset its first element
   * @param count its elements
   */
  @SuppressWarnings("ArrayRecordComponent") // handed straight to libtorch
  public record Slot(String name, long[] shape, int group, long offset, long count) {}

  /**
   * A buffer.
   *
   * @param type of its elements
   * @param elementBytes bytes of one
   * @param count elements, those between tensors included
   */
  public record Group(ScalarType type, int elementBytes, long count) {

    public boolean isFloating() {
      return torch.isFloatingType(type);
    }

    /** The communicators' name of the type; plain bytes for what is only copied. */
    public DataType dataType() {
      return switch (type) {
        case Float -> DataType.F32;
        case Double -> DataType.F64;
        case Half -> DataType.F16;
        case BFloat16 -> DataType.BF16;
        default -> DataType.U8;
      };
    }

    public long bytes() {
      return count * elementBytes;
    }
  }

  public FlatLayout {
    slots = List.copyOf(slots);
    groups = List.copyOf(groups);
  }

  public static FlatLayout of(List<ModelTensor> tensors) {
    Map<ScalarType, Integer> indexes = new LinkedHashMap<>();
    List<Group> groups = new ArrayList<>();
    List<Slot> slots = new ArrayList<>();
    for (ModelTensor tensor : tensors) {
      ScalarType type = tensor.tensor().scalar_type().intern();
      int bytes = (int) tensor.tensor().element_size();
      int index = indexes.computeIfAbsent(type, absent -> indexes.size());
      if (index == groups.size()) {
        groups.add(new Group(type, bytes, 0));
      }
      long offset = groups.get(index).count();
      long count = tensor.tensor().numel();
      slots.add(new Slot(tensor.name(), tensor.shape(), index, offset, count));
      groups.set(index, new Group(type, bytes, roundUp(offset + count, ALIGNMENT / bytes)));
    }
    return new FlatLayout(slots, groups);
  }

  private static long roundUp(long value, long multiple) {
    return (value + multiple - 1) / multiple * multiple;
  }

  /** All elements, one range for each group. */
  public List<ParameterRange> everything() {
    return IntStream.range(0, groups.size())
        .mapToObj(i -> new ParameterRange(i, 0, groups.get(i).count()))
        .toList();
  }

  /**
   * The elements of some tensors, neighbours joined; with all tensors, {@link #everything}.
   *
   * @param used by index in {@link #slots}
   */
  public List<ParameterRange> ranges(BitSet used) {
    if (used.cardinality() == slots.size()) {
      return everything();
    }
    List<ParameterRange> ranges = new ArrayList<>();
    for (int group = 0; group < groups.size(); group++) {
      long from = -1;
      for (int i = 0; i < slots.size(); i++) {
        Slot slot = slots.get(i);
        if (slot.group() != group) {
          continue;
        }
        if (used.get(i) && from < 0) {
          from = slot.offset();
        } else if (!used.get(i) && from >= 0) {
          ranges.add(new ParameterRange(group, from, slot.offset() - from));
          from = -1;
        }
      }
      if (from >= 0) {
        ranges.add(new ParameterRange(group, from, groups.get(group).count() - from));
      }
    }
    return ranges;
  }

  /** Elements before the first tensor's of a group. */
  public long headerElements(int group) {
    return ALIGNMENT / groups.get(group).elementBytes();
  }
}
