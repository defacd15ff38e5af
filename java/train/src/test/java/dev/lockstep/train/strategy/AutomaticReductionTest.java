package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.NativeView;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code compression: auto}: what it chooses, and that its trials lose nothing. */
@Timeout(60)
class AutomaticReductionTest {
  private static final int COUNT = 640;
  private static final int STEPS = AutomaticReduction.TRIAL_STEPS + 6;

  /** Milliseconds of a step with none, bf16, int8 and power_sgd. */
  private static final double[] INT8_FIRST = {800, 430, 250, 300};

  private static final double[] HARDLY_FASTER = {100, 96, 97, 120};

  private static FlatLayout layout() {
    return new FlatLayout(
        List.of(new Slot("matrix", new long[] {20, 32}, 0, 0, COUNT)),
        List.of(new Group(ScalarType.Float, Float.BYTES, COUNT)));
  }

  @Test
  void itTakesTheFastestForTheSlowestRankAndNoneWhereThatSavesTooLittle() throws Exception {
    assertEquals(2, chosen(INT8_FIRST, INT8_FIRST));
    assertEquals(3, chosen(INT8_FIRST, new double[] {800, 430, 790, 300}));
    assertEquals(0, chosen(HARDLY_FASTER, HARDLY_FASTER));
  }

  private static int chosen(double[] first, double[] second) throws Exception {
    List<Integer> ranks =
        RankThreads.run(2, group -> run(group, group.rank() == 0 ? first : second));
    assertEquals(ranks.get(0), ranks.get(1), "all ranks choose alike");
    return ranks.get(0);
  }

  /** Checks that the sums and what is in the residuals add up to all gradients. */
  private static int run(Communicator group, double[] milliseconds) {
    double[] time = {0};
    int[] began = {0};
    try (FlatBuffers gradients = new FlatBuffers(layout(), group::allocate)) {
      List<Bucket> buckets = Bucket.plan(layout(), 1 << 20, 1 << 20);
      try (AutomaticReduction reduction =
          new AutomaticReduction(
              group,
              gradients,
              buckets,
              () -> {
                if (began[0] > 0) {
                  time[0] += 1e6 * milliseconds[AutomaticReduction.turn(began[0] - 1)];
                }
                began[0]++;
                return (long) time[0];
              })) {
        TrainingState state = new TrainingState();
        reduction.declare(state);
        Random random = new Random(group.rank());
        double[] given = new double[COUNT];
        double[] got = new double[COUNT];
        for (int step = 0; step < STEPS; step++) {
          FloatBuffer own = floats(gradients.address(0));
          for (int i = 0; i < COUNT; i++) {
            float gradient = (float) random.nextGaussian();
            own.put(i, gradient);
            given[i] += gradient;
          }
          reduce(reduction, buckets.get(0), step);
          for (int i = 0; i < COUNT; i++) {
            got[i] += own.get(i);
          }
        }
        FloatBuffer residual = floats(state.entries().get(0).address());
        double[] left = new double[COUNT];
        for (int i = 0; i < COUNT; i++) {
          left[i] = given[i] - residual.get(i);
        }
        double[] expected = group.allReduce(left, ReduceOp.SUM);
        for (int i = 0; i < COUNT; i++) {
          assertEquals(expected[i], got[i], 1e-3, "element " + i);
        }
        return reduction.chosen();
      }
    }
  }

  private static void reduce(AutomaticReduction reduction, Bucket bucket, int number) {
    reduction.begin(new Step(number, Step.NONE.batch(), List.of(), 0.1, 0, Step.NONE.needs()));
    reduction.start(bucket).await();
    Work second = reduction.proceed(bucket);
    if (second != null) {
      second.await();
    }
    reduction.finish(bucket);
  }

  private static FloatBuffer floats(long address) {
    return NativeView.bytes(address, COUNT * (long) Float.BYTES).asFloatBuffer();
  }
}
