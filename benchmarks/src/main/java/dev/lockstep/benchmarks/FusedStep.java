package dev.lockstep.benchmarks;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.SharedMemory;
import dev.lockstep.jni.Native;
import dev.lockstep.torch.TorchLibraries;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Locale;
import org.bytedeco.pytorch.AdamOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Gradients summed over the ranks and one step of Adam, on flat f32 buffers; for {@code
 * benchmarks/peers/fused_step.py}. Measured as {@code lockstep bench} measures: gradients are
 * rewritten before and parameters read after each step, a barrier is before the clock starts, an
 * iteration takes the slowest rank's time. Rank 0 prints one JSON object.
 *
 * <p>Arguments: {@code lockstep} (the fused step) or {@code libtorch} (libtorch's step alone, on
 * all ranks at once, to which the script adds the peer's all-reduce); MiB of gradients; iterations.
 */
public final class FusedStep {
  private static final int WARM_UP = 10;
  private static final double LEARNING_RATE = 1e-3;

  private FusedStep() {}

  /** One contestant's step, with its own buffers. */
  private interface Contestant extends AutoCloseable {
    FloatBuffer gradients();

    FloatBuffer parameters();

    void step(int number);

    @Override
    void close();
  }

  /** Runs as one rank of the group that the environment names. */
  public static void main(String[] arguments) {
    long bytes = Long.parseLong(arguments[1]) << 20;
    int iterations = Integer.parseInt(arguments[2]);
    boolean own = arguments[0].equals("lockstep");
    try (Communicator group = Communicator.fromEnvironment();
        Contestant contestant = own ? new Lockstep(group, bytes) : new Libtorch(bytes)) {
      double[] times = measure(group, contestant, iterations);
      if (group.rank() == 0) {
        System.out.printf(
            Locale.ROOT,
            "{\"contestant\": \"%s\", \"ranks\": %d, \"bytes\": %d, \"microseconds\": {\"min\":"
                + " %.3f, \"median\": %.3f, \"max\": %.3f}}%n",
            arguments[0],
            group.size(),
            bytes,
            times[0],
            times[iterations / 2],
            times[iterations - 1]);
      }
    }
  }

  private static double[] measure(Communicator group, Contestant contestant, int iterations) {
    float[] row = new float[8191];
    double[] times = new double[iterations];
    double seen = 0;
    for (int i = -WARM_UP; i < iterations; i++) {
      Arrays.fill(row, 1 + i % 3 + group.rank());
      FloatBuffer gradients = contestant.gradients();
      while (gradients.hasRemaining()) {
        gradients.put(row, 0, Math.min(row.length, gradients.remaining()));
      }
      group.barrier();
      long begin = System.nanoTime();
      contestant.step(i + WARM_UP + 1);
      long end = System.nanoTime();
      seen = sum(contestant.parameters(), row);
      if (i >= 0) {
        times[i] = (end - begin) * 1e-3;
      }
    }
    double[] sums = group.allGather(new double[] {seen});
    if (!Double.isFinite(seen)
        || Arrays.stream(sums).anyMatch(sum -> sum != sums[0] && !alone(contestant))) {
      throw new IllegalStateException("The ranks' parameters differ: " + Arrays.toString(sums));
    }
    times = group.allReduce(times, ReduceOp.MAX);
    Arrays.sort(times);
    return times;
  }

  /** Whether each rank steps on its own gradients, so that parameters differ. */
  private static boolean alone(Contestant contestant) {
    return contestant instanceof Libtorch;
  }

  private static double sum(FloatBuffer values, float[] row) {
    double sum = 0;
    while (values.hasRemaining()) {
      int length = Math.min(row.length, values.remaining());
      values.get(row, 0, length);
      sum += row[0] + row[length - 1];
    }
    return sum;
  }

  /** Reduction and Adam in one pass; parameters and moments exist once for all ranks. */
  private static final class Lockstep implements Contestant {
    private final SharedMemory group;
    private final NativeMemory gradients;
    private final NativeMemory[] shared = new NativeMemory[3];
    private final long count;

    Lockstep(Communicator group, long bytes) {
      this.group = group.sharedMemory().orElseThrow();
      this.count = bytes / DataType.F32.bytes();
      gradients = group.allocate(bytes);
      Arrays.setAll(shared, i -> this.group.allocate(bytes));
    }

    @Override
    public FloatBuffer gradients() {
      return gradients.buffer().asFloatBuffer();
    }

    @Override
    public FloatBuffer parameters() {
      return shared[0].buffer().asFloatBuffer();
    }

    @Override
    public void step(int number) {
      group.run(
          handle ->
              Native.reduce_adam_step(
                  handle,
                  true,
                  shared[0].address(),
                  gradients.address(),
                  shared[1].address(),
                  shared[2].address(),
                  count,
                  DataType.F32.code(),
                  number,
                  LEARNING_RATE,
                  0.9,
                  0.999,
                  1e-8,
                  0,
                  false));
    }

    @Override
    public void close() {
      gradients.close();
      Arrays.stream(shared).forEach(NativeMemory::close);
    }
  }

  /** libtorch's Adam on one flat parameter, on one thread. */
  private static final class Libtorch implements Contestant {
    private final Tensor parameters;
    private final org.bytedeco.pytorch.Adam optimizer;

    Libtorch(long bytes) {
      TorchLibraries.load();
      torch.set_num_threads(1);
      parameters = torch.zeros(bytes / DataType.F32.bytes());
      parameters.set_requires_grad(true);
      parameters.mutable_grad().put(torch.zeros(bytes / DataType.F32.bytes()));
      optimizer =
          new org.bytedeco.pytorch.Adam(
              new TensorVector(parameters), new AdamOptions(LEARNING_RATE));
    }

    @Override
    public FloatBuffer gradients() {
      return parameters.grad().createBuffer();
    }

    @Override
    public FloatBuffer parameters() {
      return parameters.detach().createBuffer();
    }

    @Override
    public void step(int number) {
      optimizer.step();
    }

    @Override
    public void close() {}
  }
}
