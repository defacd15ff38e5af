package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.checkpoint.StoredTensor;
import dev.lockstep.comm.Communicator;
import dev.lockstep.model.FloatType;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.Runs.Plan;
import dev.lockstep.train.TrainingConfig.EarlyStopping;
import dev.lockstep.train.strategy.tensor.TensorConfig;
import dev.lockstep.train.strategy.tensor.TensorParallel;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks that compute layers together train what one process trains. */
@Timeout(240)
class TensorTrainingTest {
  private static final OptimizerConfig GRADIENT = Runs.optimizer(OptimizerConfig.Type.SGD, 1, 0);

  // 242 samples to train on: the last batch of 30 holds 2.
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  private static ModelConfig mlp(FloatType type, Integer... hidden) {
    return ModelConfig.of(null, List.of(hidden), null, null, type);
  }

  private static ModelConfig transformer(FloatType type) {
    return ModelConfig.of(
        ModelConfig.Type.TRANSFORMER,
        null,
        null,
        null,
        type,
        null,
        12,
        2,
        null,
        null,
        null,
        null,
        null,
        null,
        4,
        3,
        null);
  }

  private static Plan plan(ModelConfig model, TensorConfig tensor) {
    return Plan.of(2, Runs.ADAM)
        .model(model)
        .strategy(StrategyConfig.of(new TensorParallel.Options(tensor, 0.0005, 0.001)));
  }

  private static Plan plan(ModelConfig model) {
    return plan(model, TensorConfig.defaults());
  }

  /** Uneven in every way: 13, 11 and 7 over 2 or 3 ranks. */
  private static Plan plan() {
    return plan(mlp(FloatType.FLOAT64, 13, 11, 7));
  }

  private static Plan whole(Plan plan) {
    return plan.strategy(Plan.of(1, Runs.ADAM).strategy());
  }

  private Path run(String name, int ranks, Plan plan) throws Exception {
    Path into = folder.resolve(name);
    Runs.train(ranks, plan, data, into);
    return into;
  }

  private void assertEqualsOneProcess(int ranks, Plan plan) throws Exception {
    double difference = Runs.difference(run("cut", ranks, plan), run("one", 1, whole(plan)));
    assertTrue(difference < 1e-12, "differs by " + difference);
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "3", "7"})
  void anMlpOfUnevenWidthsIsThatOfOneProcess(int ranks) throws Exception {
    assertEqualsOneProcess(ranks, plan());
  }

  @ParameterizedTest
  @CsvSource({"2", "3"})
  void aTransformerWhoseHeadsAreSharedOutIsThatOfOneProcess(int ranks) throws Exception {
    assertEqualsOneProcess(ranks, plan(transformer(FloatType.FLOAT64)));
  }

  @Test
  void gradientsOfFloat32AreThoseOfOneProcessToAMillionth() throws Exception {
    for (ModelConfig model : List.of(mlp(null, 32, 24), transformer(null))) {
      // One step of SGD at the rate 1 over all samples: parameters change by the gradient.
      Plan plan =
          new Plan(
              model,
              TrainingConfig.of(1, 242, null, null, null, null, null),
              GRADIENT,
              plan().strategy());
      Path cut = run("cut-" + model.type(), 2, plan);
      Path one = run("one-" + model.type(), 1, whole(plan));
      assertEquals(0, largestDifference(cut, one), 1e-6, model.type().name());
    }
  }

  /** Of single parameters. */
  private static double largestDifference(Path a, Path b) {
    double largest = 0;
    for (StoredTensor tensor : Runs.checkpoint(b).tensors()) {
      if (tensor.name().startsWith("model.")) {
        ByteBuffer mine = Runs.checkpoint(a).tensor(tensor.name()).data();
        ByteBuffer other = tensor.data();
        while (other.hasRemaining()) {
          largest = Math.max(largest, Math.abs((double) mine.getFloat() - other.getFloat()));
        }
      }
    }
    return largest;
  }

  @Test
  void linearLayersOfAFileAreCutByName() throws Exception {
    Path file = TestModels.linearLayers(folder.resolve("layers.pt"));
    TensorConfig names = TensorConfig.of(List.of("up"), List.of("down"));
    Plan plan = plan(mlp(null), names).model(file);
    assertEqualsOneProcess(2, plan);
    PipelineTrainingTest.assertSameBytes(
        folder.resolve("cut"), run("found", 2, plan(mlp(null)).model(file)));
  }

  @ParameterizedTest
  @CsvSource({"table, down", ", table"})
  void anEmbeddingIsCutByWidthOrByVocabulary(String column, String row) throws Exception {
    Path file = TestModels.embedding(folder.resolve("embedding.pt"));
    TensorConfig names = TensorConfig.of(column == null ? null : List.of(column), List.of(row));
    assertEqualsOneProcess(3, plan(mlp(null), names).model(file));
  }

  @ParameterizedTest
  @CsvSource({"1, index out of range", "2, an index is not one of the 7 rows of weight"})
  void anIndexThatNoRowHasIsRefusedOnAnyNumberOfRanks(int ranks, String expected) {
    Path file = TestModels.embedding(folder.resolve("embedding.pt"), 8);
    TensorConfig rows = TensorConfig.of(null, List.of("table"));
    assertRefused(ranks, plan(mlp(null), rows).model(file), expected);
  }

  @Test
  void equalRunsHaveEqualBitsAndAllRanksTheSameModel() throws Exception {
    Plan plan = plan(transformer(null));
    List<TrainingResult> results = Runs.train(3, plan, data, folder.resolve("first"));
    PipelineTrainingTest.assertSameBytes(folder.resolve("first"), run("second", 3, plan));
    List<String> hashes = results.get(0).summary().orElseThrow().parametersSha256();
    assertEquals(1, hashes.stream().distinct().count(), "ranks end with different models");
  }

  @Test
  void clippingIsByTheNormOfTheWholeModel() throws Exception {
    Plan clipped = plan().training(TrainingConfig.of(2, 30, null, 0.1, null, null, null));
    assertEqualsOneProcess(3, clipped);
    double free = Runs.difference(run("free", 3, plan()), folder.resolve("cut"));
    assertTrue(free > 1e-3, "nothing was clipped");
  }

  @Test
  void twoGroupsOfTwoRanksAreTwoRanksThatShareOutTheBatch() throws Exception {
    Plan plan = plan().mesh(new MeshConfig(2, null, 2));
    Path two = run("two", 2, whole(plan).mesh(MeshConfig.defaults()));
    double difference = Runs.difference(run("groups", 4, plan), two);
    assertTrue(difference < 1e-12, "differs by " + difference);
  }

  @Test
  void aGroupWithoutSamplesWaitsForTheOthers() throws Exception {
    // Of 242 samples the last batch of 241 holds 1.
    Plan plan = plan().training(TrainingConfig.of(2, 241, null, null, null, null, null));
    Path two = run("two", 2, whole(plan));
    double difference =
        Runs.difference(run("groups", 4, plan.mesh(new MeshConfig(2, null, 2))), two);
    assertTrue(difference < 1e-12, "differs by " + difference);
  }

  @Test
  void aWeightOfLayersThatAreNotCutHasTheGradientOfAllOfThem() throws Exception {
    Path file = TestModels.tiedAroundAPair(folder.resolve("tied.pt"));
    Plan plan = plan(mlp(null)).model(file);
    Path two = run("two", 2, whole(plan));
    double difference =
        Runs.difference(run("groups", 4, plan.mesh(new MeshConfig(2, null, 2))), two);
    assertTrue(difference < 1e-12, "differs by " + difference);
  }

  @Test
  void theBestModelIsKeptAndTheRunEndsAsInOneProcess() throws Exception {
    EarlyStopping early = new EarlyStopping(1, 0.02);
    Plan plan = plan().training(TrainingConfig.of(6, 30, null, null, null, null, early));
    List<TrainingResult> cut = Runs.train(2, plan, data, folder.resolve("cut"));
    List<TrainingResult> one = Runs.train(1, whole(plan), data, folder.resolve("one"));
    assertEquals(one.get(0).step(), cut.get(1).step());
    assertEquals(loss(one), loss(cut), 1e-12);
    assertTrue(Runs.difference(folder.resolve("cut"), folder.resolve("one")) < 1e-12);
  }

  private static double loss(List<TrainingResult> results) {
    return results.get(0).summary().orElseThrow().validationLoss();
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "2, 3", "3, 2", "1, 3"})
  void aRunGoesOnWithOtherNumbersOfSlices(int before, int after) throws Exception {
    Path stopped = folder.resolve("stopped");
    RankThreads.run(before, rank -> stopAfter(5, plan(), rank, stopped).run(false));
    RankThreads.run(after, rank -> Runs.train(plan(), data, rank, stopped, true));
    assertTrue(Runs.difference(stopped, run("one", 1, whole(plan()))) < 1e-12);
  }

  @Test
  void aRunGoesOnFromADataParallelCheckpointAndBack() throws Exception {
    Path stopped = folder.resolve("stopped");
    RankThreads.run(1, rank -> stopAfter(3, whole(plan()), rank, stopped).run(false));
    RankThreads.run(2, rank -> stopAfter(9, plan(), rank, stopped).run(true));
    RankThreads.run(1, rank -> Runs.train(whole(plan()), data, rank, stopped, true));
    assertTrue(Runs.difference(stopped, run("one", 1, whole(plan()))) < 1e-12);
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
  void aRankKeepsItsShareOfTheCutParametersAndOfTheirStateAlone() throws Exception {
    Path one = run("one", 1, whole(plan(mlp(null, 96, 96))));
    Path cut = run("cut", 2, plan(mlp(null, 96, 96)));
    // What is not cut, the last layer, is in rank 0's file.
    assertEquals(0.5, (double) bytes(cut, "tensors-1") / bytes(one, "tensors"), 0.02);
  }

  /** Of a file of the newest checkpoint, which holds what the rank keeps of what is cut. */
  private static long bytes(Path run, String name) throws Exception {
    try (Stream<Path> files = Files.walk(run)) {
      Path newest =
          files
              .filter(file -> file.getFileName().toString().equals(name + ".safetensors"))
              .max(Path::compareTo)
              .orElseThrow();
      return Files.size(newest);
    }
  }

  @Test
  void whatCannotBeCutIsRefusedByItsKey() {
    assertRefused(2, plan(mlp(null)).mesh(new MeshConfig(null, null, 2)), "mesh.tensor: is 2, but");
    assertRefused(8, plan(), "mesh.tensor: must be at most 7");
    assertRefused(4, plan(transformer(null)).mesh(tensor(3)), "mesh.tensor: 1 × 3 (data × ten");
    assertRefused(2, whole(plan()).mesh(tensor(2)), "mesh.tensor: is 2, but strategy.type data_p");
    assertRefused(
        4, plan().mesh(new MeshConfig(null, 2, 2)), "mesh.pipeline: is 2, but the layers");
    assertRefused(2, named("layer9", "layer1"), "strategy.tensor.column: names layer9, but the");
    assertRefused(2, named("layer0", "layer2"), "strategy.tensor.column: names layer0, but the n");
    Path norm = TestModels.batchNormBetweenLayers(folder.resolve("norm.pt"));
    assertRefused(2, plan(mlp(null)).model(norm), "mesh.tensor: is 2, but no two linear layers");
    Path constant = TestModels.constantBias(folder.resolve("constant.pt"));
    assertRefused(
        2,
        named("up", "down").model(constant),
        "strategy.tensor.row: names down, which is neither a linear layer");
    Path tied = TestModels.tied(folder.resolve("tied.pt"));
    Plan twice = named("first", "second").model(tied);
    assertRefused(
        2, twice, "strategy.tensor.column: names first, whose tensors are frozen or used");
  }

  private static MeshConfig tensor(int ranks) {
    return new MeshConfig(null, null, ranks);
  }

  private static Plan named(String column, String row) {
    return plan(mlp(null, 8, 8), TensorConfig.of(List.of(column), List.of(row)));
  }

  private void assertRefused(int ranks, Plan plan, String expected) {
    RuntimeException refused =
        assertThrows(RuntimeException.class, () -> run("refused", ranks, plan));
    assertTrue(String.valueOf(refused.getMessage()).contains(expected), refused.getMessage());
  }
}
