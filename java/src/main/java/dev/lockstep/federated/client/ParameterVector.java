package dev.lockstep.federated.client;

import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A model as one row of float64 numbers: its parameters, then the other floating-point tensors,
 * such as the statistics of batch norms. Integers are left as they are. One thread.
 */
public final class ParameterVector {
  private final List<FlatBuffers> buffers;
  private final int parameters;
  private final int length;

  /** The live memory of a model. */
  public ParameterVector(FlatBuffers parameters, FlatBuffers others) {
    buffers = List.of(parameters, others);
    this.parameters = length(parameters);
    length = Math.addExact(this.parameters, length(others));
  }

  /** Of flat memory alone. */
  public ParameterVector(FlatBuffers flat) {
    buffers = List.of(flat);
    parameters = length(flat);
    length = parameters;
  }

  private static int length(FlatBuffers flat) {
    return flat.layout().groups().stream()
        .filter(Group::isFloating)
        .mapToInt(group -> Math.toIntExact(group.count()))
        .sum();
  }

  /** Elements that are trained; they come first. */
  public int parameters() {
    return parameters;
  }

  /** All elements. */
  public int length() {
    return length;
  }

  private interface Visitor {
    void visit(Tensor whole, int from, int count);
  }

  private void forEachGroup(Visitor visitor) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      int from = 0;
      for (FlatBuffers flat : buffers) {
        List<Group> groups = flat.layout().groups();
        for (int group = 0; group < groups.size(); group++) {
          if (groups.get(group).isFloating()) {
            int count = (int) groups.get(group).count();
            visitor.visit(flat.whole(group), from, count);
            from += count;
          }
        }
      }
    }
  }

  /** Copies the model. */
  public double[] read() {
    double[] values = new double[length];
    forEachGroup(
        (whole, from, count) ->
            new DoublePointer(whole.to(ScalarType.Double).contiguous().data_ptr())
                .get(values, from, count));
    return values;
  }

  /**
   * Where a tensor lies.
   *
   * @param from its first element
   * @param count its elements
   */
  public record TensorRange(String name, int from, int count) {}

  /** All tensors of floating-point numbers. */
  public List<TensorRange> tensors() {
    List<TensorRange> tensors = new ArrayList<>();
    int from = 0;
    for (FlatBuffers flat : buffers) {
      List<Group> groups = flat.layout().groups();
      for (int group = 0; group < groups.size(); group++) {
        if (groups.get(group).isFloating()) {
          for (Slot slot : flat.layout().slots()) {
            if (slot.group() == group) {
              int first = from + (int) slot.offset();
              tensors.add(new TensorRange(slot.name(), first, (int) slot.count()));
            }
          }
          from += (int) groups.get(group).count();
        }
      }
    }
    return tensors;
  }

  /** Whether 4 bytes hold each number exactly. */
  public boolean isFloat32() {
    return buffers.stream()
        .flatMap(flat -> flat.layout().groups().stream())
        .filter(Group::isFloating)
        .allMatch(group -> group.type() == ScalarType.Float);
  }

  public static float[] toFloats(double[] values) {
    float[] rounded = new float[values.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (float) values[i];
    }
    return rounded;
  }

  /** The 2-norm of numbers. */
  public static double norm(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value * value;
    }
    return Math.sqrt(sum);
  }

  /** Makes the model that of the numbers, rounded to its own types. */
  public void write(double[] values) {
    forEachGroup(
        (whole, from, count) -> {
          DoublePointer source = new DoublePointer(count).put(values, from, count);
          whole.copy_(torch.from_blob(source, new long[] {count}, options()));
        });
  }

  private static TensorOptions options() {
    return new TensorOptions(ScalarType.Double);
  }
}
