package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.comm.Communicator;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.EpochRecord;
import dev.lockstep.monitor.TrainingEvent;
import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.TrainingConfig.EarlyStopping;
import dev.lockstep.train.TrainingConfig.Validation;
import dev.lockstep.train.strategy.LocalSgd;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a step's numbers: parameters without gradient, what is not finite, the best. */
@Timeout(180)
class StepOutcomeTest {
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  private static OptimizerConfig sgd(double learningRate) {
    return OptimizerConfig.of(
        OptimizerConfig.Type.SGD, learningRate, null, null, null, null, null, null, null);
  }

  private static OptimizerConfig decaying(OptimizerConfig.Type type) {
    double momentum = type == OptimizerConfig.Type.SGD ? 0.9 : 0;
    return OptimizerConfig.of(type, 0.01, momentum, null, null, 0.1, null, null, null);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void decayLeavesParametersWithoutGradientAlone(int ranks) throws Exception {
    Path model = TestModels.unused(folder.resolve("unused.pt"));
    for (OptimizerConfig.Type type : OptimizerConfig.Type.values()) {
      for (StrategyConfig strategy :
          List.of(StrategyConfig.defaults(), StrategyConfig.of(new LocalSgd.Options(2)))) {
        Path into = folder.resolve(type + strategy.type());
        Runs.train(
            ranks, Runs.Plan.of(1, decaying(type)).model(model).strategy(strategy), data, into);
        Checkpoint after = Runs.checkpoint(into);
        java.nio.FloatBuffer unused = after.tensor("model.unused").data().asFloatBuffer();
        while (unused.hasRemaining()) {
          assertEquals(0.1f, unused.get(), type + " " + strategy.type());
        }
        assertNotEquals(0.1f, after.tensor("model.w").data().asFloatBuffer().get(0));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"data_parallel", "local_sgd"})
  void numbersThatAreNotFiniteEndAllRanksWithRankStepAndTensor(String type) throws Exception {
    StrategyConfig strategy =
        type.equals("local_sgd")
            ? StrategyConfig.of(new LocalSgd.Options(3))
            : StrategyConfig.defaults();
    List<String> messages =
        RankThreads.run(
            2,
            ranks ->
                assertThrows(
                        TrainingException.class,
                        () ->
                            Runs.train(
                                Runs.Plan.of(3, sgd(1e6)).strategy(strategy),
                                data,
                                ranks,
                                folder,
                                false))
                    .getMessage());
    assertEquals(messages.get(0), messages.get(1));
    assertTrue(
        messages
            .get(0)
            .matches("Numbers are not finite in step \\d+ of epoch [12]: rank [01], step \\d+: .*"),
        messages.get(0));
    assertTrue(messages.get(0).contains("learning_rate"), messages.get(0));
    assertTrue(
        messages
            .get(0)
            .matches(".*(the loss|the model's prediction|the gradient of|the parameter).*"),
        messages.get(0));
  }

  /** Keeps what rank 0 hears. */
  private static final class Heard implements TrainingListener {
    private final List<EpochRecord> epochs = new ArrayList<>();

    @Override
    public void on(TrainingEvent event) {
      if (event instanceof EpochDone done) {
        epochs.add(done.epoch());
      }
    }
  }

  @Test
  void earlyStoppingKeepsTheModelOfTheLowestLossAlsoWhenResumed() throws Exception {
    Heard heard = new Heard();
    TrainingResult straight = train(9, heard, folder.resolve("straight"), false);
    double lowest =
        heard.epochs.stream().mapToDouble(EpochRecord::validationLoss).min().orElseThrow();
    double last = heard.epochs.get(heard.epochs.size() - 1).validationLoss();
    assertTrue(lowest < last, "the learning rate lets the loss rise: " + lowest + ", " + last);
    assertEquals(lowest, straight.summary().orElseThrow().validationLoss());

    train(8, new Heard(), folder.resolve("halves"), false);
    TrainingResult resumed = train(9, new Heard(), folder.resolve("halves"), true);
    assertEquals(
        straight.summary().orElseThrow().parametersSha256(),
        resumed.summary().orElseThrow().parametersSha256());
  }

  private TrainingResult train(int epochs, TrainingListener recorder, Path into, boolean resume) {
    TrainingConfig training =
        TrainingConfig.of(epochs, 30, null, null, null, null, EarlyStopping.of(100, null));
    Runs.Plan plan =
        new Runs.Plan(
            ModelConfig.of(null, List.of(16), null, null, null),
            training,
            OptimizerConfig.of(
                OptimizerConfig.Type.ADAM, 0.5, null, null, null, null, null, null, null),
            StrategyConfig.defaults());
    try (Communicator alone = Communicator.single()) {
      return Runs.job(plan, data, alone, recorder, into).run(resume);
    }
  }

  @Test
  void validationCheckpointsAndTheEndComeBySteps() throws Exception {
    TrainingConfig training =
        TrainingConfig.of(3, 30, null, null, null, null, null)
            .withValidation(new Validation(null, 4L, null))
            .withLimits(11L, null);
    Runs.Plan plan = Runs.Plan.of(3, Runs.ADAM).training(training);
    List<TrainingResult> results = Runs.train(2, plan, data, folder);
    assertEquals(11, results.get(1).step(), "9 steps of the first epoch, 2 of the second");
    assertFalse(results.get(1).stopped());
    assertEquals(11, Runs.checkpoint(folder).step());
    assertTrue(Double.isFinite(results.get(0).summary().orElseThrow().validationLoss()));
  }
}
