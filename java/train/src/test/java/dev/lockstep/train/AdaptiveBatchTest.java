package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.data.Dataset;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.TrainingEvent.Started;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.strategy.DataParallel;
import dev.lockstep.train.strategy.LocalSgd;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Runs whose batches grow, and runs whose ranks get parts by their speed. */
@Timeout(180)
class AdaptiveBatchTest {
  private static final OptimizerConfig PLAIN =
      OptimizerConfig.of(OptimizerConfig.Type.SGD, 0.01, null, null, null, null, null, null, null);

  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  private static Runs.Plan growing(int epochs, int min, int max) {
    Runs.Plan plan = Runs.Plan.of(epochs, PLAIN);
    return plan.training(plan.training().withBatch(BatchConfig.adaptive(min, max)));
  }

  private static Progress progress(Path run) {
    return Progress.fromJson(Runs.checkpoint(run).state());
  }

  @Test
  void ofOneSizeItIsDataParallelToTheBit() throws Exception {
    Runs.Plan fixed = Runs.Plan.of(3, PLAIN);
    Runs.train(3, fixed, data, folder.resolve("fixed"));
    Runs.train(3, growing(3, 30, 30), data, folder.resolve("one"));
    assertEquals(0, Runs.difference(folder.resolve("one"), folder.resolve("fixed")));
  }

  @Test
  void batchesGrowAndARunThatGoesOnHasTheBytesOfOneThatWasNotStopped() throws Exception {
    Path whole = folder.resolve("whole");
    Path halves = folder.resolve("halves");
    Runs.train(2, growing(4, 4, 64), data, whole);
    Runs.train(2, growing(2, 4, 64), data, halves);
    RankThreads.run(2, ranks -> Runs.train(growing(4, 4, 64), data, ranks, halves, true));
    assertEquals(0, Runs.difference(halves, whole));
    assertEquals(progress(whole).parts(), progress(halves).parts());
    assertEquals(progress(whole).steps(), progress(halves).steps());
    int size = progress(whole).parts().path("batch_plan").path("size").asInt();
    assertTrue(size > 4, "batches of " + size);
    assertTrue(progress(whole).steps() < 4 * 61, "as many steps as with batches of 4");
  }

  /** −w of a linear model after one step at rate 1, less its beginning: a gradient. */
  private double[] gradient(int batch) throws Exception {
    Path into = folder.resolve("gradient-" + batch);
    TrainingConfig one =
        TrainingConfig.of(1, batch, null, null, null, null, null).withLimits(1L, null);
    Runs.train(1, linear(one), data, into);
    Checkpoint after = Runs.checkpoint(into);
    double[] gradient = new double[10];
    int at = 0;
    for (String name : List.of("model.w", "model.b")) {
      FloatBuffer values = after.tensor(name).data().asFloatBuffer();
      while (values.hasRemaining()) {
        gradient[at++] = 0.1f - values.get();
      }
    }
    return gradient;
  }

  private Runs.Plan linear(TrainingConfig training) {
    Path file = TestModels.linear(folder.resolve("linear.pt"), ScalarType.Float);
    OptimizerConfig unit =
        OptimizerConfig.of(OptimizerConfig.Type.SGD, 1.0, null, null, null, null, null, null, null);
    return Runs.Plan.of(1, unit).model(file).training(training);
  }

  private static double squares(double[] a, double x, double[] b, double y) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double value = x * a[i] + y * b[i];
      sum += value * value;
    }
    return sum;
  }

  /** The first step's S and |G|², from gradients that other runs give away. */
  @Test
  void whatRanksMeasureAreTheNormsOfTheirGradients() throws Exception {
    double[] first = gradient(15);
    double[] joint = gradient(30);
    double jointSquares = squares(joint, 1, joint, 0);
    double firstSquares = squares(first, 1, first, 0);
    double secondSquares = squares(joint, 2, first, -1);
    TrainingConfig measuring =
        TrainingConfig.of(1, 30, null, null, null, null, null)
            .withLimits(1L, null)
            .withBatch(BatchConfig.adaptive(30, 30));
    Path two = folder.resolve("two");
    Runs.train(2, linear(measuring), data, two);
    assertPair(two, jointSquares, (firstSquares + secondSquares) / 2);
    Path sharded = folder.resolve("sharded");
    DataParallel.Options sliced = DataParallel.Options.defaults().withSharding(1);
    Runs.train(2, linear(measuring).strategy(StrategyConfig.of(sliced)), data, sharded);
    assertPair(sharded, jointSquares, (firstSquares + secondSquares) / 2);
    // A rank alone has two pieces, and the norm of the first.
    Path alone = folder.resolve("alone");
    Runs.train(1, linear(measuring), data, alone);
    assertPair(alone, jointSquares, firstSquares);
  }

  private static void assertPair(Path run, double joint, double parts) {
    double s = (parts - joint) / (1.0 / 15 - 1.0 / 30);
    double g = joint - s / 30;
    JsonNode saved = progress(run).parts().path("batch_plan");
    assertEquals(0.01 * s, saved.path("variance").asDouble(), 1e-4 * Math.abs(s));
    assertEquals(0.01 * g, saved.path("squared_gradient").asDouble(), 1e-4 * joint);
  }

  @Test
  void partsBySpeedLeaveTheJointBatchAsItIs() throws Exception {
    Runs.Plan equal = Runs.Plan.of(4, PLAIN);
    Runs.Plan balanced = equal.training(equal.training().withBalance(true));
    Runs.train(2, equal, data, folder.resolve("equal"));
    List<TrainingResult> results = Runs.train(2, balanced, data, folder.resolve("balanced"));
    List<String> hashes = results.get(0).summary().orElseThrow().parametersSha256();
    assertEquals(hashes.get(0), hashes.get(1));
    assertTrue(Runs.difference(folder.resolve("balanced"), folder.resolve("equal")) < 1e-5);
    JsonNode shares = progress(folder.resolve("balanced")).parts().path("work_shares");
    assertEquals(1, shares.get(0).asDouble() + shares.get(1).asDouble(), 1e-12);
  }

  /** Samples that take a time to be read, once after {@link Started}; keeps the counts of reads. */
  private static final class SlowSamples implements Dataset {
    private final Dataset data;
    private final long nanos;
    private final List<Integer> reads = Collections.synchronizedList(new ArrayList<>());
    private volatile boolean training;

    SlowSamples(Dataset data, Duration ofSample) {
      this.data = data;
      nanos = ofSample.toNanos();
    }

    @Override
    public void read(long[] indices, int from, int count, double[] into, double[] intoTargets) {
      data.read(indices, from, count, into, intoTargets);
      if (training) {
        LockSupport.parkNanos(nanos * count);
        reads.add(count);
      }
    }

    @Override
    public long size() {
      return data.size();
    }

    @Override
    public List<String> featureNames() {
      return data.featureNames();
    }

    @Override
    public List<String> targetNames() {
      return data.targetNames();
    }

    @Override
    public long point(long of) {
      return data.point(of);
    }

    @Override
    public String description() {
      return data.description();
    }

    @Override
    public void close() {}
  }

  /** A sample takes rank 1 20 ms longer, so that its step of 15 takes 0.3 s. */
  @Test
  void aSlowRankGetsFewerSamplesOfABatch() throws Exception {
    Runs.Plan plan = Runs.Plan.of(2, PLAIN);
    TrainingConfig balanced = plan.training().withBalance(true).withLimits(12L, null);
    List<List<Integer>> reads =
        RankThreads.run(
            2,
            ranks -> {
              Duration ofSample = Duration.ofMillis(ranks.rank() == 1 ? 20 : 0);
              SlowSamples slow = new SlowSamples(data, ofSample);
              TrainingListener listener =
                  event -> {
                    slow.training |= event instanceof Started;
                    slow.training &= !(event instanceof StepDone done && done.steps() == 12);
                  };
              Runs.job(plan.training(balanced), slow, ranks, listener, folder).run(false);
              return slow.reads;
            });
    double share = progress(folder).parts().path("work_shares").get(1).asDouble();
    assertTrue(share < 0.4, "rank 1 takes " + share + " of a batch");
    assertEquals(15, reads.get(1).get(0));
    assertTrue(reads.get(1).contains((int) Math.round(30 * share)), reads + ", " + share);
  }

  @Test
  void whatDoesNotGoTogetherIsRefusedByItsKey() throws Exception {
    Runs.Plan balanced = Runs.Plan.of(1, PLAIN);
    balanced = balanced.training(balanced.training().withBalance(true));
    StrategyConfig local = StrategyConfig.of(new LocalSgd.Options(2));
    StrategyConfig compressed =
        StrategyConfig.of(
            DataParallel.Options.defaults().withCompression(CompressionConfig.of("int8")));
    assertEquals("training.balance", refused(balanced.strategy(local)));
    ModelConfig synchronised =
        ModelConfig.of(
            ModelConfig.Type.FILE, null, null, "norm.pt", null, ModelConfig.BatchNorm.SYNCHRONIZED);
    assertEquals("training.balance", refused(balanced.model(synchronised)));
    assertEquals("training.batch.adaptive", refused(growing(1, 4, 8).strategy(local)));
    assertEquals("training.batch.adaptive", refused(growing(1, 4, 8).strategy(compressed)));
    Path doubles = TestModels.linear(folder.resolve("double.pt"), ScalarType.Double);
    assertEquals("training.batch.adaptive", refused(growing(1, 4, 8).model(doubles)));
  }

  private String refused(Runs.Plan plan) throws Exception {
    return RankThreads.run(
            2,
            ranks ->
                assertThrows(
                        ConfigKeyException.class,
                        () -> Runs.train(plan, data, ranks, folder, false))
                    .key())
        .get(0);
  }
}
