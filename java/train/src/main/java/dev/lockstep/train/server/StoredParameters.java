package dev.lockstep.train.server;

import dev.lockstep.comm.NativeMemory;
import dev.lockstep.model.FloatType;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.optimizer.LocalOptimizer;
import java.nio.FloatBuffer;
import java.util.List;

/** The parameters of one name: values, the sum of the gradients that wait, and their optimiser. */
final class StoredParameters implements AutoCloseable {
  private final String name;
  private final int count;
  private final FlatBuffers values;
  private final FlatBuffers gradients;
  private final LocalOptimizer optimizer;
  private int waiting;
  private long version;

  StoredParameters(String name, float[] initial, OptimizerConfig config) {
    this.name = name;
    count = initial.length;
    requireFinite("values", initial);
    FlatLayout layout =
        new FlatLayout(
            List.of(new FlatLayout.Slot(name, new long[] {count}, 0, 0, count)),
            List.of(new FlatLayout.Group(FloatType.FLOAT32.scalarType(), Float.BYTES, count)));
    List<FlatBuffers> memory = FlatBuffers.several(2, layout, NativeMemory::allocate);
    values = memory.get(0);
    gradients = memory.get(1);
    optimizer = new LocalOptimizer(config, values, gradients, null);
    floats(values).put(initial);
  }

  private FloatBuffer floats(FlatBuffers flat) {
    return NativeView.bytes(flat.address(0), (long) count * Float.BYTES).asFloatBuffer();
  }

  private void requireFinite(String what, float[] numbers) {
    for (int i = 0; i < numbers.length; i++) {
      if (!Float.isFinite(numbers[i])) {
        throw new IllegalArgumentException(
            "The "
                + what
                + " of "
                + name
                + " are refused: number "
                + i
                + " is "
                + numbers[i]
                + ".");
      }
    }
  }

  float[] values() {
    float[] copy = new float[count];
    floats(values).get(copy);
    return copy;
  }

  void add(float[] gradient) {
    if (gradient.length != count) {
      throw new IllegalArgumentException(
          "The gradient of "
              + name
              + " has "
              + gradient.length
              + " numbers, and the parameters have "
              + count
              + ".");
    }
    requireFinite("gradients", gradient);
    FloatBuffer sum = floats(gradients);
    for (int i = 0; i < count; i++) {
      sum.put(i, sum.get(i) + gradient[i]);
    }
    waiting++;
  }

  int waiting() {
    return waiting;
  }

  long version() {
    return version;
  }

  void apply(double learningRate) {
    if (waiting == 0) {
      throw new IllegalStateException("No gradient of " + name + " waits for an update.");
    }
    optimizer.apply(values.layout().everything(), learningRate, 1.0 / waiting);
    version++;
    clear();
  }

  void clear() {
    NativeView.zero(gradients.address(0), (long) count * Float.BYTES);
    waiting = 0;
  }

  @Override
  public void close() {
    optimizer.close();
    values.close();
    gradients.close();
  }
}
