package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.StoredTensor;
import dev.lockstep.comm.Communicator;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.EpochRecord;
import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.Runs.Plan;
import dev.lockstep.train.strategy.pipeline.Pipeline;
import dev.lockstep.train.strategy.pipeline.PipelineConfig;
import dev.lockstep.train.strategy.pipeline.PipelineSchedule;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A pipeline trains, bit for bit, what gradient accumulation over the same pieces trains. */
@Timeout(240)
class PipelineTrainingTest {
  private static final int PIECES = 4;

  // 242 samples to train on: the last batch of 30 holds 2, and so has 2 pieces instead of 4.
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  private static Plan plan(PipelineSchedule schedule, List<String> stages) {
    PipelineConfig config = PipelineConfig.of(stages, schedule, PIECES, null);
    return Plan.of(2, Runs.ADAM)
        .model(ModelConfig.of(null, List.of(16, 16, 12), null, null, null))
        .strategy(StrategyConfig.of(Pipeline.Options.of(config)));
  }

  private static Plan plan() {
    return plan(PipelineSchedule.ONE_F_ONE_B, null);
  }

  /** What a pipeline is held to. */
  private static Plan accumulating(Plan plan) {
    TrainingConfig told = plan.training();
    TrainingConfig training =
        TrainingConfig.of(
            told.epochs(),
            told.batchSize(),
            PIECES,
            told.clipNorm(),
            told.loss().type(),
            null,
            told.earlyStopping());
    return plan.training(training).strategy(Plan.of(1, Runs.ADAM).strategy());
  }

  private Path run(String name, int ranks, Plan plan) throws Exception {
    Path into = folder.resolve(name);
    Runs.train(ranks, plan, data, into);
    return into;
  }

  /** All tensors of the newest checkpoints: parameters, optimiser state, batch statistics. */
  static void assertSameBytes(Path expected, Path actual) {
    Map<String, ByteBuffer> wanted = tensors(expected);
    Map<String, ByteBuffer> found = tensors(actual);
    assertEquals(wanted.keySet(), found.keySet());
    wanted.forEach((name, bytes) -> assertEquals(bytes, found.get(name), name));
  }

  private static Map<String, ByteBuffer> tensors(Path run) {
    Checkpoint checkpoint = Runs.checkpoint(run);
    Map<String, ByteBuffer> tensors = new TreeMap<>();
    for (StoredTensor tensor : checkpoint.tensors()) {
      tensors.put(tensor.name(), tensor.data());
    }
    return tensors;
  }

  @ParameterizedTest
  @CsvSource({
    "1, GPIPE",
    "2, GPIPE",
    "3, GPIPE",
    "4, GPIPE",
    "1, ONE_F_ONE_B",
    "2, ONE_F_ONE_B",
    "3, ONE_F_ONE_B",
    "4, ONE_F_ONE_B",
    "2, INTERLEAVED"
  })
  void anyScheduleOnAnyNumberOfRanksHasTheBitsOfAccumulation(int ranks, PipelineSchedule schedule)
      throws Exception {
    Plan plan = plan(schedule, null);
    assertSameBytes(run("one", 1, accumulating(plan)), run("pipeline", ranks, plan));
  }

  @Test
  void clippingIsByTheNormOfTheWholeModelToTheBit() throws Exception {
    Plan plan = plan().training(TrainingConfig.of(2, 30, null, 0.1, null, null, null));
    Path one = run("one", 1, accumulating(plan));
    assertSameBytes(one, run("pipeline", 3, plan));
    double free = Runs.difference(run("free", 1, accumulating(plan())), one);
    assertTrue(free > 1e-3, "nothing was clipped");
  }

  @Test
  void twoPipelinesHaveTheBitsOfTwoRanksThatAccumulate() throws Exception {
    // Three parts do not divide four ranks, so these are two pipelines of two.
    Plan plan = plan().model(ModelConfig.of(null, List.of(16, 12), null, null, null));
    assertSameBytes(run("two", 2, accumulating(plan)), run("pipelines", 4, plan));
  }

  @Test
  void partsMayBeNamed() throws Exception {
    Plan plan = plan(PipelineSchedule.GPIPE, List.of("layer0", "layer3"));
    assertSameBytes(run("one", 1, accumulating(plan)), run("pipeline", 2, plan));
  }

  @Test
  void batchStatisticsMoveAsInOneProcess() throws Exception {
    Plan plan = plan().model(TestModels.batchNormBetweenLayers(folder.resolve("norm.pt")));
    assertSameBytes(run("one", 1, accumulating(plan)), run("pipeline", 3, plan));
  }

  @Test
  void theBestModelIsThatOfOneProcess() throws Exception {
    TrainingConfig stopping =
        TrainingConfig.of(6, 30, null, null, null, null, new TrainingConfig.EarlyStopping(1, 0.02));
    Plan plan = plan().training(stopping);
    String one = hash(Runs.train(1, accumulating(plan), data, folder.resolve("one")));
    String three = hash(Runs.train(3, plan, data, folder.resolve("three")));
    assertEquals(one, three);
    assertSameBytes(folder.resolve("one"), folder.resolve("three"));
  }

  private static String hash(List<TrainingResult> results) {
    List<String> hashes = results.get(0).summary().orElseThrow().parametersSha256();
    assertEquals(1, hashes.stream().distinct().count(), "ranks end with different models");
    return hashes.get(0);
  }

  @Test
  void lossesOfStepsAndEpochsAreThoseOfOneProcess() throws Exception {
    assertEquals(losses(1, accumulating(plan()), "one"), losses(3, plan(), "pipeline"));
  }

  /** Losses that rank 0 hears of. */
  private List<Double> losses(int ranks, Plan plan, String into) throws Exception {
    List<Double> losses = new ArrayList<>();
    RankThreads.run(
        ranks,
        rank ->
            Runs.job(
                    plan,
                    data,
                    rank,
                    event -> {
                      if (rank.rank() > 0) {
                        return;
                      }
                      if (event instanceof StepDone step) {
                        losses.add(step.loss());
                      } else if (event instanceof EpochDone epoch) {
                        EpochRecord record = epoch.epoch();
                        losses.add(record.trainLoss());
                        losses.add(record.validationLoss());
                      }
                    },
                    folder.resolve(into))
                .run(false));
    return losses;
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "2, 3", "3, 2", "1, 4"})
  void aRunGoesOnWithOtherNumbersOfParts(int before, int after) throws Exception {
    Path stopped = folder.resolve("stopped");
    RankThreads.run(before, rank -> stopAfter(5, plan(), rank, stopped).run(false));
    List<TrainingResult> resumed =
        RankThreads.run(after, rank -> Runs.train(plan(), data, rank, stopped, true));
    assertTrue(resumed.get(0).summary().isPresent());
    assertSameBytes(run("one", 1, accumulating(plan())), stopped);
  }

  @Test
  void aPipelineGoesOnFromADataParallelCheckpointAndBack() throws Exception {
    Path stopped = folder.resolve("stopped");
    RankThreads.run(1, rank -> stopAfter(3, accumulating(plan()), rank, stopped).run(false));
    RankThreads.run(2, rank -> stopAfter(9, plan(), rank, stopped).run(true));
    RankThreads.run(1, rank -> Runs.train(accumulating(plan()), data, rank, stopped, true));
    assertSameBytes(run("one", 1, accumulating(plan())), stopped);
  }

  private TrainingJob stopAfter(long steps, Plan plan, Communicator rank, Path into) {
    TrainingJob[] job = new TrainingJob[1];
    job[0] =
        Runs.job(
            plan,
            data,
            rank,
            event -> {
              if (event instanceof StepDone done && done.steps() == steps) {
                job[0].requestStop();
              }
            },
            into);
    return job[0];
  }

  @Test
  void aParameterThatTheLossDoesNotUseIsRefusedByName() {
    Plan plan = plan().model(TestModels.unused(folder.resolve("unused.pt")));
    TrainingException refused = assertThrows(TrainingException.class, () -> run("unused", 1, plan));
    assertTrue(refused.getMessage().contains("unused"), refused.getMessage());
  }

  @Test
  void layersWithOneWeightStayOnOneRank() throws Exception {
    Path tied = TestModels.tied(folder.resolve("tied.pt"));
    assertSameBytes(
        run("one", 1, accumulating(plan().model(tied))), run("pipeline", 2, plan().model(tied)));
    RuntimeException refused =
        assertThrows(
            RuntimeException.class,
            () ->
                run(
                    "refused",
                    2,
                    plan(PipelineSchedule.GPIPE, List.of("first", "second")).model(tied)));
    assertTrue(
        String.valueOf(refused.getMessage())
            .contains("cannot begin a part with second, because layers before it and from it on"),
        refused.getMessage());
  }

  @Test
  void wrongPartsAreRefusedByTheirKey() {
    assertRefused(2, List.of("layer0", "layer9"), "strategy.pipeline.stages: names layer9");
    assertRefused(2, List.of("layer1", "layer2"), "strategy.pipeline.stages: must name layers in");
  }

  private void assertRefused(int ranks, List<String> stages, String expected) {
    RuntimeException refused =
        assertThrows(
            RuntimeException.class,
            () -> run("refused", ranks, plan(PipelineSchedule.GPIPE, stages)));
    assertTrue(String.valueOf(refused.getMessage()).contains(expected), refused.getMessage());
  }
}
