package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.Split;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.model.Model;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.engine.BatchReader;
import dev.lockstep.train.engine.Loss;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Simulated federations, on one rank and on several. */
@Timeout(240)
class FederationTest {
  private static final String SCAFFOLD = "federation.algorithm=scaffold";
  private static final String FEDBUFF = "federation.algorithm=fedbuff";

  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "federation.algorithm=fedavg",
        "federation.algorithm=fedprox federation.mu=0.1",
        "federation.algorithm=scaffold federation.local_epochs=2",
        "federation.algorithm=fednova optimizer.momentum=0.9",
        "federation.algorithm=fedbuff federation.asynchronous.buffer=3",
        "federation.server_optimizer.type=yogi optimizer.type=adam",
        "federation.server_optimizer.type=adagrad federation.selection.type=weighted",
        "federation.selection.type=power_of_choice federation.per_round=3",
        "federation.selection.type=poisson federation.aggregation.rule=median",
        "federation.aggregation.rule=multi_krum",
        "federation.aggregation.rule=centered_clipping",
        "federation.aggregation.rule=geometric_median federation.attack.type=noise",
        "federation.aggregation.rule=norm_bound federation.attack.type=backdoor",
        "federation.personal=[layer1] federation.selection.type=power_of_choice",
        "federation.privacy.quantile=0.5 federation.privacy.noise_multiplier=0.8",
        "federation.privacy.clip_norm=0.5 federation.selection.type=poisson"
      })
  void theModelHasTheSameBytesOnAnyNumberOfRanks(String overrides) throws Exception {
    Run alone = runs.run(1, overrides.split(" "));
    for (int ranks : new int[] {2, 3}) {
      assertEquals(alone.hash(), runs.run(ranks, overrides.split(" ")).hash(), ranks + " ranks");
    }
    assertTrue(Double.isFinite(alone.rounds().get(5).trainLoss()), alone.rounds().toString());
  }

  @Test
  void clientsTogetherLearnWhatNoneCouldAlone() throws Exception {
    Run run = runs.run(2, "federation.rounds=30", "federation.per_round=8");
    assertTrue(run.accuracy() > 0.95, run.rounds().toString());
    assertEquals(8, run.rounds().get(0).answered());
    assertEquals(320, run.rounds().get(0).samples());
  }

  @Test
  void anotherSeedGivesAnotherModel() throws Exception {
    assertNotEquals(runs.run(1).hash(), runs.run(1, "seed=8").hash());
  }

  /** McMahan et al. 2017: FedAvg with one step of all samples is gradient descent on them. */
  @Test
  void oneFullStepOfEachClientIsOneStepOfAllSamples() throws Exception {
    runs.run(
        2,
        "federation.rounds=1",
        "federation.per_round=8",
        "federation.local_steps=1",
        "federation.batch_size=1000");
    FederateConfig config = runs.config();
    TorchLibraries.load();
    try (Dataset dataset = DataFiles.open(config.data());
        Communicator alone = Communicator.single();
        Model expected = Model.mlp(config.model(), 2, 3, config.seed());
        Model actual = Model.load(runs.model());
        PointerScope scope = new PointerScope()) {
      Split split = dataset.split(config.data());
      Normalizer.Pair normalizers = dataset.normalizers(split.train(), alone);
      int all = split.train().length;
      try (BatchReader reader = new BatchReader(dataset, normalizers, true, expected.type(), all)) {
        reader.load(split.train(), 0, all);
        Tensor prediction = expected.forward(reader.samples().inputs());
        new Loss(LossType.CROSS_ENTROPY, 1).mean(prediction, reader.samples()).backward();
      }
      for (int i = 0; i < expected.parameters().size(); i++) {
        Tensor before = expected.parameters().get(i).tensor();
        Tensor after = before.sub(before.grad(), new Scalar(0.1));
        Tensor difference = after.sub(actual.parameters().get(i).tensor()).abs();
        assertTrue(torch.max(difference).item_double() < 1e-6, expected.parameters().get(i).name());
      }
    }
  }

  @Test
  void clientsAfterTheDeadlineAreDropped() throws Exception {
    Run run = runs.run(2, "federation.latency={median: 1, spread: 1, deadline: 1}");
    int late = run.rounds().stream().mapToInt(r -> r.selected() - r.answered()).sum();
    assertTrue(late > 5 && late < 25, "late " + late + " of 30");
    assertEquals(6, run.rounds().get(5).simulatedSeconds(), 1e-9);
  }

  /** Nguyen et al. 2022: nobody waits for the slowest. */
  @Test
  void aBufferMakesMoreRoundsASecondThanWaitingForAll() throws Exception {
    String stalls = "federation.latency.spread=1";
    double waiting = runs.run(1, stalls).rounds().get(5).simulatedSeconds();
    Run buffered =
        runs.run(1, stalls, FEDBUFF, "federation.asynchronous={buffer: 5, concurrency: 5}");
    double ratio = waiting / buffered.rounds().get(5).simulatedSeconds();
    assertTrue(ratio > 1.5, "ratio " + ratio);
    assertTrue(buffered.rounds().get(5).staleness() > 0, buffered.rounds().toString());
  }

  /**
   * Karimireddy et al. 2020: with many local steps the average stays away from the optimum of all
   * samples where clients differ, and SCAFFOLD reaches it. Each client has one class here, and a
   * linear model of it is to be found.
   */
  @Test
  void scaffoldReachesTheOptimumThatTheAverageMisses() throws Exception {
    String[] drifting = {
      "federation.rounds=60",
      "federation.clients=3",
      "federation.per_round=3",
      "federation.local_epochs=5",
      "federation.loss=mse",
      "federation.partition=null",
      "optimizer.learning_rate=0.05",
      "model.hidden=[]"
    };
    String[] byClass = drifting.clone();
    byClass[5] = "federation.partition={type: column, column: class}";
    String[] scaffold = Arrays.copyOf(byClass, 9);
    scaffold[8] = SCAFFOLD;
    double optimum = lastLoss(runs.run(1, drifting));
    double average = lastLoss(runs.run(1, byClass));
    double corrected = lastLoss(runs.run(1, scaffold));
    assertEquals(optimum, corrected, 0.02 * optimum);
    assertTrue(average > 1.1 * optimum, "average " + average + ", optimum " + optimum);
  }

  private static double lastLoss(Run run) {
    return run.result().last().orElseThrow().loss();
  }

  /** Arivazhagan et al. 2019: clients that want different outputs have them. */
  @Test
  void aPersonalLayerFitsItsClientAndStaysAsItBeganAtTheServer() throws Exception {
    String[] settings = {
      "federation.clients=3",
      "federation.per_round=3",
      "federation.partition={type: column, column: class}",
      "federation.local_epochs=3",
      "federation.personal=[layer1]"
    };
    double personal = runs.run(1, settings).rounds().get(5).trainLoss();
    try (Model after = Model.load(runs.model());
        Model before = Model.mlp(runs.config().model(), 2, 3, runs.config().seed())) {
      for (int i = 0; i < before.parameters().size(); i++) {
        Tensor moved =
            before.parameters().get(i).tensor().sub(after.parameters().get(i).tensor()).abs();
        boolean isPersonal = before.parameters().get(i).name().startsWith("layer1.");
        assertEquals(isPersonal, torch.max(moved).item_double() == 0);
      }
    }
    double shared = runs.run(1, Arrays.copyOf(settings, 4)).rounds().get(5).trainLoss();
    assertTrue(personal < 0.5 * shared, "personal " + personal + ", shared " + shared);
  }
}
