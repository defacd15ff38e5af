package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.TrainingConfig.LossType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run goes on only with what it was made with, and ranks train only on the same. */
@Timeout(180)
class ResumeChecksTest {
  private static final Runs.Plan PLAN = Runs.Plan.of(1, Runs.SGD);
  private static final Runs.Plan LONGER = Runs.Plan.of(2, Runs.SGD);

  @TempDir Path folder;

  private final ArrayDataset data = ArrayDataset.smooth(100);

  @BeforeEach
  void trainOneEpoch() {
    try (Communicator alone = Communicator.single()) {
      Runs.train(PLAN, data, alone, folder, false);
    }
  }

  private static TrainingJob job(
      Runs.Plan plan, Dataset dataset, long splitSeed, Communicator ranks, Path into) {
    return new TrainingJob(
        plan.plan(),
        dataset,
        Split.of(dataset.size(), 0.2, splitSeed),
        ranks,
        TrainingListener.none(),
        Optional.of(new RunFolder(into)));
  }

  private void assertRefused(Runs.Plan plan, Dataset dataset, long splitSeed, String reason) {
    try (Communicator alone = Communicator.single()) {
      TrainingException e =
          assertThrows(
              TrainingException.class,
              () -> job(plan, dataset, splitSeed, alone, folder).run(true));
      assertTrue(e.getMessage().contains(reason), e.getMessage());
    }
    assertEquals(3, Runs.checkpoint(folder).step(), "the checkpoint is as it was");
  }

  @Test
  void theSameConfigurationGoesOn() {
    try (Communicator alone = Communicator.single()) {
      assertEquals(6, job(LONGER, data, 1, alone, folder).run(true).step());
    }
  }

  @Test
  void featuresInAnotherOrder() {
    assertRefused(
        LONGER,
        new Renamed(data, List.of("x1", "x0", "x2", "x3"), data.targetNames()),
        1,
        "it was made with data.features [x0, x1, x2, x3], not [x1, x0, x2, x3]");
  }

  @Test
  void targetsInAnotherOrder() {
    assertRefused(
        LONGER,
        new Renamed(data, data.featureNames(), List.of("y1", "y0")),
        1,
        "it was made with data.targets [y0, y1], not [y1, y0]");
  }

  @Test
  void anotherSplit() {
    assertRefused(LONGER, data, 2, "another split into training and held-out samples");
  }

  @Test
  void otherDataOfTheSameSize() {
    ArrayDataset other = ArrayDataset.smooth(100);
    other.targets()[99][1] += 1;
    assertRefused(LONGER, other, 1, "it was made with other data of the same size");
  }

  @Test
  void anotherActivation() {
    ModelConfig tanh =
        ModelConfig.of(null, List.of(16, 16), ModelConfig.Activation.TANH, null, null);
    Runs.Plan plan = new Runs.Plan(tanh, LONGER.training(), LONGER.optimizer(), LONGER.strategy());
    assertRefused(plan, data, 1, "it was made with the model mlp [16, 16] RELU");
  }

  @Test
  void anotherLoss() {
    TrainingConfig mae = TrainingConfig.of(2, 30, null, null, LossType.MAE, null, null);
    assertRefused(LONGER.training(mae), data, 1, "it was made with training.loss mse, not mae");
  }

  @Test
  void anotherOptimizerWithTheSameState() {
    Path adam = folder.resolve("adam");
    OptimizerConfig adamW =
        OptimizerConfig.of(
            OptimizerConfig.Type.ADAMW, 0.002, null, null, null, null, null, null, null);
    try (Communicator alone = Communicator.single()) {
      Runs.train(Runs.Plan.of(1, Runs.ADAM), data, alone, adam, false);
      TrainingException e =
          assertThrows(
              TrainingException.class,
              () -> job(Runs.Plan.of(2, adamW), data, 1, alone, adam).run(true));
      assertTrue(
          e.getMessage().contains("it was made with optimizer.type ADAM, not ADAMW."),
          e.getMessage());
    }
  }

  @Test
  void aReasonThatHoldsForSeveralCheckpointsIsSaidOnce() {
    try (Communicator alone = Communicator.single()) {
      Runs.train(Runs.Plan.of(3, Runs.SGD), data, alone, folder, false);
      TrainingException e =
          assertThrows(
              TrainingException.class, () -> job(LONGER, data, 2, alone, folder).run(true));
      String reason = "was refused: it was made with another split";
      assertTrue(e.getMessage().contains("step-000000000009 " + reason), e.getMessage());
      assertEquals(
          e.getMessage().indexOf(reason), e.getMessage().lastIndexOf(reason), e.getMessage());
      assertTrue(e.getMessage().contains("The 2 older ones cannot be used"), e.getMessage());
    }
  }

  @Test
  void aRunWithoutAnyCheckpointIsNotOverwritten() throws IOException {
    Path checkpoints = new RunFolder(folder).checkpoints();
    Files.move(checkpoints.resolve("step-000000000003"), checkpoints.resolve("step-3.tmp"));
    byte[] model = Files.readAllBytes(new RunFolder(folder).model());
    try (Communicator alone = Communicator.single()) {
      TrainingException e =
          assertThrows(
              TrainingException.class, () -> job(LONGER, data, 1, alone, folder).run(true));
      assertTrue(e.getMessage().contains("it holds no checkpoint"), e.getMessage());
    }
    assertEquals(model.length, Files.size(new RunFolder(folder).model()));
  }

  @Test
  void ranksWithDifferentSplitsAreToldBeforeTheFirstStep() {
    TrainingException e =
        assertThrows(
            TrainingException.class,
            () ->
                RankThreads.run(
                    2,
                    ranks ->
                        job(PLAN, data, ranks.rank(), ranks, folder.resolve("two")).run(false)));
    assertTrue(
        e.getMessage().contains("Rank 0 and rank 1") && e.getMessage().contains("data.seed"),
        e.getMessage());
  }

  @Test
  void ranksWithDifferentDataAreToldBeforeTheFirstStep() {
    TrainingException e =
        assertThrows(
            TrainingException.class,
            () ->
                RankThreads.run(
                    2,
                    ranks -> {
                      ArrayDataset own = ArrayDataset.smooth(100);
                      own.features()[0][0] += ranks.rank();
                      return job(PLAN, own, 1, ranks, folder.resolve("two")).run(false);
                    }));
    assertTrue(e.getMessage().contains("data of the sampled rows"), e.getMessage());
  }

  /** The same numbers under other names. */
  private record Renamed(ArrayDataset data, List<String> featureNames, List<String> targetNames)
      implements Dataset {
    @Override
    public long size() {
      return data.size();
    }

    @Override
    public void read(long[] indices, int from, int count, double[] features, double[] targets) {
      data.read(indices, from, count, features, targets);
    }

    @Override
    public long point(long sample) {
      return sample;
    }

    @Override
    public String description() {
      return data.description();
    }

    @Override
    public void close() {}
  }
}
