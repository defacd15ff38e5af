package dev.lockstep.train;

import dev.lockstep.comm.DataType;
import dev.lockstep.model.ModelTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Where each of several tensors lies when all of one element type share one buffer. Every tensor
 * starts on a 64-byte boundary, as vector instructions like it; what lies between is zero.
 *
 * @param slots one for each tensor, in the tensors' order
 * @param groups one for each element type, in the order in which the types come
 */
record FlatLayout(List<Slot> slots, List<Group> groups) {
  /** Tensors begin on multiples of this. */
  static final int ALIGNMENT = 64;

  /**
   * A tensor's place.
   *
   * @param group index of its buffer
   * @param offset its first element
   * @param count its elements
   */
  @SuppressWarnings("ArrayRecordComponent") // handed straight to libtorch
  record Slot(String name, long[] shape, int group, long offset, long count) {}

  /**
   * A buffer.
   *
   * @param type of its elements
   * @param elementBytes bytes of one
   * @param count elements, those between tensors included
   */
  record Group(ScalarType type, int elementBytes, long count) {

    boolean isFloating() {
      return torch.isFloatingType(type);
    }

    /** The communicators' name of the type; plain bytes for what is only copied. */
    DataType dataType() {
      return switch (type) {
        case Float -> DataType.F32;
        case Double -> DataType.F64;
        case Half -> DataType.F16;
        case BFloat16 -> DataType.BF16;
        default -> DataType.U8;
      };
    }

    long bytes() {
      return count * elementBytes;
    }
  }

  FlatLayout {
    slots = List.copyOf(slots);
    groups = List.copyOf(groups);
  }

  static FlatLayout of(List<ModelTensor> tensors) {
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

  /** Elements before the first tensor's of a group. */
  long headerElements(int group) {
    return ALIGNMENT / groups.get(group).elementBytes();
  }
}
