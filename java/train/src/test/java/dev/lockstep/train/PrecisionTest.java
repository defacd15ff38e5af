package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.TensorType;
import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.data.Split;
import dev.lockstep.model.FloatType;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.EpochRecord;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.TrainingEvent;
import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingEvent.Started;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.PrecisionConfig.Type;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.strategy.DataParallel;
import dev.lockstep.train.strategy.LocalSgd;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs that compute in reduced types around float32 parameters. */
@Timeout(180)
class PrecisionTest {
  private static final int SAMPLES = 302;
  private static final int BATCH = 30;

  private final ArrayDataset data = ArrayDataset.smooth(SAMPLES);

  @TempDir Path folder;

  private static Runs.Plan plan(int epochs, PrecisionConfig precision) {
    Runs.Plan plan = Runs.Plan.of(epochs, Runs.ADAM);
    return plan.training(plan.training().withPrecision(precision));
  }

  @ParameterizedTest
  @EnumSource(
      value = Type.class,
      names = {"BF16", "FP16"})
  void resultsAreNearThoseOfFloat32WithEqualBitsOnAllRanks(Type type) throws Exception {
    Path full = folder.resolve("full");
    Path reduced = folder.resolve("reduced");
    Runs.train(2, plan(3, PrecisionConfig.float32()), data, full);
    List<TrainingResult> results = Runs.train(2, plan(3, PrecisionConfig.of(type)), data, reduced);
    List<String> hashes = results.get(0).summary().orElseThrow().parametersSha256();
    assertEquals(hashes.get(0), hashes.get(1));
    assertEquals(TensorType.F32, Runs.checkpoint(reduced).tensors().get(0).type());
    double difference = Runs.difference(reduced, full);
    assertTrue(difference > 1e-6, "products were not of a reduced type: " + difference);
    assertTrue(difference < 0.03, type + ": " + difference);
  }

  static Stream<StrategyConfig> withSkippedSteps() {
    DataParallel.Options small = DataParallel.Options.defaults().withBuckets(0.0005, 0.001);
    return Stream.of(small.withFused(false), small.withSharding(1)).map(StrategyConfig::of);
  }

  /** A run on 2 ranks in which rank 1 reads an infinity in one step. */
  private List<TrainingResult> runWithInfinity(
      TrainingPlan plan, int step, Path into, List<TrainingEvent> heard) throws Exception {
    return RankThreads.run(
        2,
        ranks -> {
          OnceInfinite once = new OnceInfinite(data, ranks.rank() == 1 ? sampleOf(step) : -1);
          TrainingListener listener =
              event -> {
                once.armed |= event instanceof Started;
                if (ranks.rank() == 0) {
                  heard.add(event);
                }
              };
          Split split = Split.of(SAMPLES, 0.2, 1);
          RunFolder run = new RunFolder(into);
          return new TrainingJob(plan, once, split, ranks, listener, Optional.of(run)).run(false);
        });
  }

  private static EpochRecord epoch(List<TrainingEvent> heard) {
    return heard.stream()
        .filter(EpochDone.class::isInstance)
        .map(event -> ((EpochDone) event).epoch())
        .findFirst()
        .orElseThrow();
  }

  /** The first sample of rank 1 in a step of the first epoch, from 1. */
  private static long sampleOf(int step) {
    DistributedSampler sampler =
        new DistributedSampler(Split.of(SAMPLES, 0.2, 1).train(), BATCH, 3, 1, 2);
    DistributedSampler.Batch batch = sampler.next();
    for (int i = 1; i < step; i++) {
      batch = sampler.next();
    }
    return batch.indices()[batch.from()];
  }

  @ParameterizedTest
  @MethodSource("withSkippedSteps")
  void anInfinityOnOneRankSkipsThatStepOnAll(StrategyConfig strategy) throws Exception {
    List<TrainingEvent> heard = new ArrayList<>();
    PrecisionConfig fp16 = PrecisionConfig.of(Type.FP16).withScale(1024, 1000);
    Path model = TestModels.batchNorm(folder.resolve("norm.pt"));
    Runs.Plan plan = plan(1, fp16).model(model).strategy(strategy);
    List<TrainingResult> results = runWithInfinity(plan.plan(), 7, folder, heard);

    List<String> hashes = results.get(0).summary().orElseThrow().parametersSha256();
    assertEquals(hashes.get(0), hashes.get(1));
    List<Long> skipped =
        heard.stream()
            .filter(event -> event instanceof StepDone done && Double.isNaN(done.loss()))
            .map(event -> ((StepDone) event).steps())
            .toList();
    assertEquals(List.of(7L), skipped);
    long steps = results.get(1).step();
    Checkpoint after = Runs.checkpoint(folder);
    Progress progress = Progress.fromJson(after.state());
    assertEquals(512, progress.parts().path("loss_scale").path("scale").asDouble());
    assertEquals(1, progress.skipped().steps());
    assertEquals(steps - 1, progress.parts().path("optimizer_steps").path(0).asLong());
    assertEquals(steps - 1, after.tensor("buffer.batches").data().asLongBuffer().get(0));
    FloatBuffer mean = after.tensor("buffer.running_mean").data().asFloatBuffer();
    while (mean.hasRemaining()) {
      assertTrue(Float.isFinite(mean.get()));
    }
    assertTrue(Double.isFinite(epoch(heard).trainLoss()), heard.toString());
  }

  private static TrainingPlan scheduled(TrainingPlan plain, ScheduleConfig schedule) {
    return new TrainingPlan(
        plain.name(),
        plain.seed(),
        plain.threads(),
        plain.model(),
        plain.training(),
        plain.optimizer(),
        schedule,
        plain.strategy(),
        plain.checkpoints());
  }

  @Test
  void skippedStepsOfSmallBatchesLeaveTheScheduleAtItsBeginning() throws Exception {
    Runs.Plan fp16 = plan(1, PrecisionConfig.of(Type.FP16).withScale(1024, 1000));
    TrainingConfig growing =
        fp16.training().withBatch(BatchConfig.adaptive(15, 30)).withLimits(4L, null);
    ScheduleConfig warmup = ScheduleConfig.of(null, 10, null, null, null);
    TrainingPlan plan = scheduled(fp16.training(growing).plan(), warmup);
    OnceInfinite always = new OnceInfinite(data, -1);
    always.always = true;
    List<TrainingEvent> heard = new ArrayList<>();
    TrainingListener listener =
        event -> {
          heard.add(event);
          always.armed |= event instanceof Started;
          if (event instanceof StepDone done && done.steps() == 4) {
            always.always = false;
            always.armed = false;
          }
        };
    try (Communicator alone = Communicator.single()) {
      Split split = Split.of(SAMPLES, 0.2, 1);
      Optional<RunFolder> run = Optional.of(new RunFolder(folder));
      new TrainingJob(plan, always, split, alone, listener, run).run(false);
    }
    assertEquals(4, Progress.fromJson(Runs.checkpoint(folder).state()).skipped().steps());
    // The fourth step is the first of the warmup, with half of the batch that the rate is for.
    assertEquals(
        Runs.ADAM.learningRate() / 11 * Math.sqrt(15 / 30.0), epoch(heard).learningRate(), 1e-15);
  }

  @Test
  void aSkippedStepLeavesTheScheduleWhereItWas() throws Exception {
    TrainingPlan cosine =
        scheduled(
            plan(1, PrecisionConfig.of(Type.FP16)).plan(),
            ScheduleConfig.of(ScheduleConfig.Type.COSINE, null, null, null, null));
    List<TrainingEvent> heard = new ArrayList<>();
    runWithInfinity(cosine, 4, folder, heard);
    // The last of 9 steps would be the ninth of the cosine, at 0, and is the eighth.
    assertEquals(
        Runs.ADAM.learningRate() * (1 + Math.cos(Math.PI * 7 / 8)) / 2,
        epoch(heard).learningRate(),
        1e-15);
  }

  @Test
  void aRunThatGoesOnHasTheBytesOfOneThatWasNotStopped() throws Exception {
    PrecisionConfig fp16 = PrecisionConfig.of(Type.FP16).withScale(4, 4);
    Path whole = folder.resolve("whole");
    Path halves = folder.resolve("halves");
    Runs.train(2, plan(2, fp16), data, whole);
    Runs.train(2, plan(1, fp16), data, halves);
    RankThreads.run(2, ranks -> Runs.train(plan(2, fp16), data, ranks, halves, true));
    assertEquals(0, Runs.difference(halves, whole));
    assertEquals(
        Progress.fromJson(Runs.checkpoint(whole).state()).parts(),
        Progress.fromJson(Runs.checkpoint(halves).state()).parts());
    // 18 steps of which 4, 8, 12 and 16 double it.
    assertEquals(
        64,
        Progress.fromJson(Runs.checkpoint(halves).state())
            .parts()
            .path("loss_scale")
            .path("scale")
            .asDouble());
  }

  @Test
  void aScaleThatCannotHelpEndsTheRun() {
    // Half precision ends at 65504: the loss of the first batch overflows at every scale.
    Runs.Plan plan = plan(3, PrecisionConfig.of(Type.FP16).withScale(4, 1000));
    OnceInfinite always = new OnceInfinite(data, -1);
    always.always = true;
    TrainingListener arm = event -> always.armed |= event instanceof Started;
    try (Communicator alone = Communicator.single()) {
      TrainingException e =
          assertThrows(
              TrainingException.class, () -> Runs.job(plan, always, alone, arm, folder).run(false));
      assertTrue(
          e.getMessage().startsWith("Numbers are not finite in step 3 of epoch 1"), e.getMessage());
    }
  }

  @Test
  void autoTakesOneAndKeepsItWhenResumed() throws Exception {
    PrecisionConfig auto = PrecisionConfig.of(Type.AUTO);
    Runs.train(2, plan(1, auto), data, folder.resolve("auto"));
    String chosen =
        Progress.fromJson(Runs.checkpoint(folder.resolve("auto")).state())
            .parts()
            .path("precision_chosen")
            .asText();
    Runs.train(2, plan(1, PrecisionConfig.of(chosen)), data, folder.resolve("named"));
    assertEquals(0, Runs.difference(folder.resolve("auto"), folder.resolve("named")));
    RankThreads.run(
        2, ranks -> Runs.train(plan(2, auto), data, ranks, folder.resolve("auto"), true));
    assertEquals(
        chosen,
        Progress.fromJson(Runs.checkpoint(folder.resolve("auto")).state())
            .parts()
            .path("precision_chosen")
            .asText());
  }

  static Stream<Runs.Plan> refused() {
    Runs.Plan fp16 = plan(1, PrecisionConfig.of(Type.FP16));
    return Stream.of(
        fp16.strategy(StrategyConfig.of(new LocalSgd.Options(2))),
        fp16.strategy(
            StrategyConfig.of(
                DataParallel.Options.defaults().withCompression(CompressionConfig.of("int8")))),
        new Runs.Plan(
            ModelConfig.of(null, List.of(8), null, null, FloatType.FLOAT64),
            plan(1, PrecisionConfig.of(Type.BF16)).training(),
            Runs.SGD,
            StrategyConfig.defaults()));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void whatDoesNotGoTogetherIsRefusedByItsKey(Runs.Plan plan) throws Exception {
    for (String key :
        RankThreads.run(
            2,
            ranks ->
                assertThrows(
                        ConfigKeyException.class,
                        () -> Runs.train(plan, data, ranks, folder, false))
                    .key())) {
      assertEquals("training.precision", key);
    }
  }

  @Test
  void anotherPrecisionIsNoResumption() throws Exception {
    Runs.train(1, plan(1, PrecisionConfig.of(Type.BF16)), data, folder);
    try (Communicator alone = Communicator.single()) {
      TrainingException e =
          assertThrows(
              TrainingException.class,
              () -> Runs.train(plan(2, PrecisionConfig.float32()), data, alone, folder, true));
      assertTrue(e.getMessage().contains("training.precision bf16, not float32"), e.getMessage());
    }
  }

  /** Bfloat16 has 8 bits, so 1 − 1e-4 rounds to 1: pure bfloat16 does not learn at this rate. */
  @Test
  void parametersOfPureBfloat16StallWhereMastersOfFloat32Move() throws Exception {
    OptimizerConfig slow =
        OptimizerConfig.of(
            OptimizerConfig.Type.ADAM, 1e-4, null, null, null, null, null, null, null);
    Path pure = TestModels.linear(folder.resolve("pure.pt"), ScalarType.BFloat16);
    Path masters = TestModels.linear(folder.resolve("masters.pt"), ScalarType.Float);
    Runs.Plan plan = Runs.Plan.of(2, slow);
    Runs.train(1, plan.model(pure), data, folder.resolve("p"));
    Runs.train(
        1,
        plan.model(masters).training(plan.training().withPrecision(PrecisionConfig.of(Type.BF16))),
        data,
        folder.resolve("m"));
    // Adam moves by about the rate in each of 18 steps; between 0.1 and its neighbours in bfloat16
    // lie 4.9e-4.
    FloatBuffer moved =
        Runs.checkpoint(folder.resolve("m")).tensor("model.w").data().asFloatBuffer();
    ShortBuffer stalled =
        Runs.checkpoint(folder.resolve("p")).tensor("model.w").data().asShortBuffer();
    while (moved.hasRemaining()) {
      assertTrue(Math.abs(moved.get() - 0.1) > 5e-4);
      assertEquals(0x3DCD, stalled.get());
    }
  }

  /** Reads one sample's first feature as infinite, once after it has been armed. */
  private static final class OnceInfinite implements Dataset {
    private final ArrayDataset data;
    private final long sample;
    private volatile boolean armed;
    private boolean always;

    OnceInfinite(ArrayDataset data, long sample) {
      this.data = data;
      this.sample = sample;
    }

    @Override
    public void read(long[] indices, int from, int count, double[] into, double[] intoTargets) {
      data.read(indices, from, count, into, intoTargets);
      for (int i = 0; i < count && armed; i++) {
        if (always || indices[from + i] == sample) {
          into[i * featureNames().size()] = Double.POSITIVE_INFINITY;
          armed = always;
        }
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
      return of;
    }

    @Override
    public String description() {
      return data.description();
    }

    @Override
    public void close() {}
  }
}
