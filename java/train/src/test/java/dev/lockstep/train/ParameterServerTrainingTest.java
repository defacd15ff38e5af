package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig.Choice;
import dev.lockstep.data.Dataset;
import dev.lockstep.monitor.RunSummary;
import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.train.TrainingConfig.EarlyStopping;
import dev.lockstep.train.TrainingConfig.Validation;
import dev.lockstep.train.strategy.DataParallel;
import dev.lockstep.train.strategy.server.ParameterServerStrategy.Options;
import dev.lockstep.train.verify.TrialGroup;
import dev.lockstep.train.verify.TrialGroup.Conditions;
import dev.lockstep.train.verify.TrialGroup.Ending;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Training with a parameter server, beyond what the conformance kit asks of every strategy. */
@Timeout(200)
class ParameterServerTrainingTest {
  private static final Dataset DATA = ArrayDataset.smooth(150);

  @TempDir Path folder;

  private static Runs.Plan plan(OptimizerConfig optimizer, Record options) {
    return Runs.Plan.of(3, optimizer).strategy(StrategyConfig.of(options));
  }

  private static String parameters(List<TrainingResult> ranks) {
    List<String> hashes = ranks.get(0).summary().orElseThrow().parametersSha256();
    assertEquals(1, new HashSet<>(hashes).size(), "ranks disagree: " + hashes);
    return hashes.get(0);
  }

  @ParameterizedTest
  @CsvSource({"SGD", "MOMENTUM", "ADAM"})
  void whereAllWaitForAllTheResultHasTheBitsOfDataParallelTraining(String name) throws Exception {
    OptimizerConfig optimizer =
        name.equals("SGD") ? Runs.SGD : name.equals("ADAM") ? Runs.ADAM : Runs.MOMENTUM;
    String expected =
        parameters(
            Runs.train(
                2,
                plan(optimizer, DataParallel.Options.defaults().withFused(false)),
                DATA,
                folder.resolve("data-parallel")));
    for (Options options : List.of(Options.bounded(0), Options.synchronous())) {
      assertEquals(
          expected,
          parameters(Runs.train(2, plan(optimizer, options), DATA, folder.resolve("" + options))));
    }
  }

  @Test
  void aWorkersDeathDoesNotStopTheOthers() throws Exception {
    double whole =
        Runs.train(4, plan(Runs.SGD, Options.synchronous()), DATA, folder.resolve("whole"))
            .get(0)
            .summary()
            .orElseThrow()
            .validationLoss();
    for (Options options :
        List.of(
            Options.synchronous().withServers(1),
            Options.bounded(2).withServers(1),
            Options.asynchronous().withServers(2))) {
      List<Ending<TrainingResult>> ranks = trainUntilDeathOf(3, options);
      for (int rank = 0; rank < 3; rank++) {
        TrainingResult result = ranks.get(rank).result();
        assertTrue(result != null, "rank " + rank + " ended with " + ranks.get(rank).failure());
        RunSummary summary = result.summary().orElseThrow();
        assertEquals(3, summary.epochs());
        assertEquals(3, summary.worldSize(), "of those who are left");
        assertEquals(1, new HashSet<>(summary.parametersSha256()).size(), "they agree");
        assertEquals(whole, summary.validationLoss(), 0.1 * whole, "as well as with all of them");
      }
    }
  }

  /** The last step of an epoch and of the run is the one in which the others hear of the death. */
  @Test
  void theStepInWhichAWorkerDiesMayBeTheLast() {
    Runs.Plan last =
        plan(Runs.SGD, Options.synchronous().withServers(1))
            .training(TrainingConfig.of(9, 30, null, null, null, null, null).withLimits(8L, null));
    Path run = folder.resolve("last");
    List<EpochDone> epochs = new CopyOnWriteArrayList<>();
    List<Ending<TrainingResult>> ranks =
        new TrialGroup(Choice.AUTO, 4, 20, Duration.ofSeconds(60))
            .run(Conditions.QUIET, group -> train(group, last, 3, 7, run, epochs::add));
    for (int rank = 0; rank < 3; rank++) {
      TrainingResult result = ranks.get(rank).result();
      assertTrue(result != null, "rank " + rank + " ended with " + ranks.get(rank).failure());
      assertEquals(8, result.step());
      assertEquals(3, result.summary().orElseThrow().worldSize(), "of those who are left");
    }
    assertEquals(2, epochs.get(epochs.size() - 1).epoch().epoch(), "the second epoch is scored");
    assertTrue(
        Double.isFinite(epochs.get(epochs.size() - 1).epoch().validationLoss()), "" + epochs);
    assertEquals(8, Runs.checkpoint(run).step(), "and saved");
  }

  /** The validation after which training is to end is in the middle of an epoch. */
  @Test
  void theStepInWhichAWorkerDiesMayBeTheOneThatEarlyStoppingEndsWith() {
    Runs.Plan plan =
        plan(Runs.SGD, Options.synchronous().withServers(1))
            .training(
                TrainingConfig.of(9, 30, null, null, null, null, EarlyStopping.of(1, 1e9))
                    .withValidation(new Validation(null, 3L, null)));
    Path run = folder.resolve("early");
    List<EpochDone> epochs = new CopyOnWriteArrayList<>();
    List<Ending<TrainingResult>> ranks =
        new TrialGroup(Choice.AUTO, 4, 20, Duration.ofSeconds(60))
            .run(Conditions.QUIET, group -> train(group, plan, 3, 5, run, epochs::add));
    for (int rank = 0; rank < 3; rank++) {
      TrainingResult result = ranks.get(rank).result();
      assertTrue(result != null, "rank " + rank + " ended with " + ranks.get(rank).failure());
      assertEquals(6, result.step());
    }
    EpochDone last = epochs.get(epochs.size() - 1);
    assertEquals(2, last.epoch().epoch(), "what there is of the second epoch is told of");
    assertEquals(6, last.epoch().step());
    assertEquals(6, Runs.checkpoint(run).step(), "and saved");
  }

  /** Rank 3 dies after the first step, whose update is so large that the second has no numbers. */
  @Test
  void numbersThatAreNotFiniteEndTheRunAlsoWhereAWorkerIsGoneInThatStep() {
    OptimizerConfig diverges = Runs.optimizer(OptimizerConfig.Type.SGD, 1e30, 0);
    Runs.Plan plan = plan(diverges, Options.synchronous().withServers(1));
    List<Ending<TrainingResult>> ranks =
        new TrialGroup(Choice.AUTO, 4, 20, Duration.ofSeconds(60))
            .run(
                Conditions.QUIET,
                group -> train(group, plan, 3, 1, folder.resolve("diverges"), epoch -> {}));
    for (int rank = 0; rank < 3; rank++) {
      Throwable failure = ranks.get(rank).failure();
      assertInstanceOf(TrainingException.class, failure, "rank " + rank + ": " + failure);
      assertTrue(
          failure.getMessage().startsWith("Numbers are not finite in step 2 of epoch 1: rank "),
          failure.getMessage());
    }
  }

  @Test
  void aServersDeathEndsTheRunOnAllRanksWithAnErrorThatNamesIt() {
    for (Ending<TrainingResult> rank :
        trainUntilDeathOf(0, Options.bounded(2).withServers(1)).subList(1, 4)) {
      assertInstanceOf(CommunicationException.class, rank.failure());
      assertTrue(rank.failure().getMessage().contains("ank 0"), rank.failure().getMessage());
    }
  }

  /** Four ranks, of which one leaves in the middle of the second epoch. */
  private List<Ending<TrainingResult>> trainUntilDeathOf(int rank, Options options) {
    Path run = folder.resolve("death-" + rank + options);
    return new TrialGroup(Choice.AUTO, 4, 20, Duration.ofSeconds(60))
        .run(
            Conditions.QUIET,
            group -> train(group, plan(Runs.SGD, options), rank, 6, run, epoch -> {}));
  }

  /** One rank dies after a step; rank 0's epochs are heard of. */
  private static TrainingResult train(
      Communicator group,
      Runs.Plan plan,
      int dies,
      long after,
      Path run,
      Consumer<EpochDone> epochs) {
    TrainingListener listener =
        event -> {
          if (event instanceof StepDone done && done.steps() == after && group.rank() == dies) {
            group.close();
            throw new IllegalStateException("this rank dies");
          }
          if (event instanceof EpochDone done && group.rank() == 0) {
            epochs.accept(done);
          }
        };
    return Runs.job(plan, DATA, group, listener, run).run(false);
  }

  @Test
  void nothingIsAcceptedThatWouldHaveNoMeaning() {
    ConfigKeyException stale =
        assertThrows(
            ConfigKeyException.class, () -> Options.synchronous().withRateByStaleness(true));
    assertEquals("rate_by_staleness", stale.key());
    assertThrows(ConfigKeyException.class, () -> Options.asynchronous().withDropSlowest(1));
    assertFalse(Options.bounded(1).equals(Options.bounded(2)));
    ConfigKeyException all =
        assertThrows(
            ConfigKeyException.class,
            () ->
                Runs.train(
                    2,
                    plan(Runs.SGD, Options.synchronous().withDropSlowest(2)),
                    DATA,
                    folder.resolve("drop")));
    assertEquals("strategy.drop_slowest", all.key());
  }
}
