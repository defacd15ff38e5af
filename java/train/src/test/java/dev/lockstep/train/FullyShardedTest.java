package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.TcpOptions;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.strategy.DataParallel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Parameters that are whole only while a layer uses them train any model to the same bytes. */
@Timeout(120)
class FullyShardedTest {
  private final ArrayDataset data = ArrayDataset.smooth(152);

  @TempDir Path folder;

  /** With buckets so small that each layer is a group of its own, and each tensor a bucket. */
  private static Runs.Plan with(Runs.Plan plan, int sharding) {
    return plan.strategy(
        StrategyConfig.of(
            new DataParallel.Options(1e-5, 1e-5, sharding == 0 ? false : null)
                .withSharding(sharding)));
  }

  private static Runs.Plan plan() {
    return Runs.Plan.of(2, Runs.ADAM);
  }

  /** Both ways in shared memory, where all sums are in the ranks' order; returns the sharded. */
  private List<TrainingResult> assertSameAsWhole(int ranks, Runs.Plan plan) throws Exception {
    List<TrainingResult> whole = train(ranks, with(plan, 0), "whole");
    List<TrainingResult> sharded = train(ranks, with(plan, 3), "sharded");
    ShardingTest.assertSameBytes(folder.resolve("whole"), folder.resolve("sharded"));
    assertEquals(hashes(whole), hashes(sharded));
    return sharded;
  }

  private static List<String> hashes(List<TrainingResult> results) {
    return results.get(0).summary().orElseThrow().parametersSha256();
  }

  private List<TrainingResult> train(int ranks, Runs.Plan plan, String into) throws Exception {
    int port = RankProcesses.freePort();
    CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.AUTO, 60.0);
    return RankThreads.run(
        ranks,
        (group, rank, size) ->
            Communicator.join(new TcpOptions(rank, size, "127.0.0.1", port, "test", 60), config),
        group -> Runs.train(plan, data, group, folder.resolve(into), false));
  }

  @Test
  void layersWithOneWeightAddUpItsGradients() throws Exception {
    assertSameAsWhole(3, plan().model(TestModels.tied(folder.resolve("tied.pt"))));
  }

  @Test
  void viewsOfParametersFollowThem() throws Exception {
    assertSameAsWhole(2, plan().model(TestModels.views(folder.resolve("views.pt"))));
  }

  /** Scoring it must not read memory that has been given back. */
  @Test
  void aPredictionMayBeAViewOfAParameter() throws Exception {
    Path constant =
        TestModels.returning(folder.resolve("constant.pt"), "self.b.expand([x.size(0), 2])");
    assertSameAsWhole(2, plan().model(constant));
  }

  @Test
  void parametersThatTheLossDoesNotUseStayAsTheyAre() throws Exception {
    assertSameAsWhole(3, plan().model(TestModels.unused(folder.resolve("unused.pt"))));
  }

  @ParameterizedTest
  @EnumSource(ModelConfig.BatchNorm.class)
  void batchStatisticsMoveAsWithWholeParameters(ModelConfig.BatchNorm batchNorm) throws Exception {
    Path file = TestModels.batchNormBetweenLayers(folder.resolve("norm.pt"));
    ModelConfig model =
        ModelConfig.of(ModelConfig.Type.FILE, null, null, file.toString(), null, batchNorm);
    assertSameAsWhole(3, plan().model(model));
  }

  @Test
  void theBestModelIsKeptInSlices() throws Exception {
    TrainingConfig stopping =
        TrainingConfig.of(6, 30, null, null, null, null, new TrainingConfig.EarlyStopping(1, 0.02));
    assertSameAsWhole(3, plan().training(stopping));
  }

  @Test
  void theModelFileIsWhole() throws Exception {
    List<TrainingResult> results = assertSameAsWhole(3, plan());
    assertEquals(1, hashes(results).stream().distinct().count());
    try (Model whole = Model.load(new RunFolder(folder.resolve("whole")).model());
        Model sharded = Model.load(new RunFolder(folder.resolve("sharded")).model())) {
      for (int i = 0; i < whole.parameters().size(); i++) {
        ModelTensor expected = whole.parameters().get(i);
        float[] found = numbers(sharded.parameters().get(i));
        assertTrue(Arrays.equals(numbers(expected), found), expected.name());
      }
    }
  }

  private static float[] numbers(ModelTensor tensor) {
    float[] numbers = new float[(int) tensor.tensor().numel()];
    new FloatPointer(tensor.tensor().data_ptr()).get(numbers);
    return numbers;
  }

  @Test
  void whatIsNotFiniteIsNamed() {
    Runs.Plan plan = Runs.Plan.of(2, Runs.optimizer(OptimizerConfig.Type.SGD, 1e30, 0));
    TrainingException e =
        assertThrows(TrainingException.class, () -> train(2, with(plan, 3), "diverging"));
    assertTrue(e.getMessage().contains("Numbers are not finite in step"), e.getMessage());
    assertTrue(e.getMessage().contains("rank 0, step"), e.getMessage());
  }

  @Test
  void whatDoesNotCombineIsRefusedByItsKey() {
    TrainingConfig training = plan().training();
    assertRefused(
        training.withPrecision(PrecisionConfig.of("bf16")), "training.precision: must be float32");
    assertRefused(training.withBalance(true), "training.balance: needs ranks that take every");
    assertRefused(training.withBatch(BatchConfig.adaptive(16, 32)), "sharding 0 or 1");
    Runs.Plan tied = plan().model(TestModels.tied(folder.resolve("tied.pt")));
    TrainingConfig pieces = TrainingConfig.of(1, 30, 2, null, null, null, null);
    assertRefused(tied.training(pieces), "training.accumulation_steps: must be 1 with");
  }

  @Test
  void aModelThatChangesItsParametersInAPassIsRefused() {
    Path clamping =
        TestModels.returning(
            folder.resolve("clamping.pt"),
            "torch.linear(x, self.w) + self.b + 0 * self.b.detach().clamp_(-0.1, 0.1)");
    assertRefused(plan().model(clamping), "The model changes its parameter b in a forward pass");
  }

  private void assertRefused(TrainingConfig training, String expected) {
    assertRefused(plan().training(training), expected);
  }

  private void assertRefused(Runs.Plan plan, String expected) {
    RuntimeException e =
        assertThrows(RuntimeException.class, () -> train(2, with(plan, 3), "refused"));
    assertTrue(String.valueOf(e.getMessage()).contains(expected), e.getMessage());
  }
}
