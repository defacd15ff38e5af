package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.checkpoint.CheckpointException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.config.ConfigException;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.Split;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.population.Partition;
import dev.lockstep.federated.privacy.ClientSampling;
import dev.lockstep.federated.privacy.RenyiAccountant;
import dev.lockstep.model.Model;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.engine.BatchReader;
import dev.lockstep.train.engine.Loss;
import java.nio.file.Files;
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

@Timeout(240)
class FederationTest {
  private static final String SCAFFOLD = "federation.algorithm=scaffold";
  private static final String FEDBUFF = "federation.algorithm=fedbuff";
  private static final String SMALL_BUFFER = "federation.asynchronous={buffer: 3, concurrency: 6}";

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

  @ParameterizedTest
  @ValueSource(
      strings = {
        "federation.algorithm=fedavg",
        "federation.personal=[layer1]",
        SCAFFOLD,
        FEDBUFF + " " + SMALL_BUFFER
      })
  void aStoppedFederationGoesOnToTheSameBytesOnAnotherNumberOfRanks(String overrides)
      throws Exception {
    String[] settings =
        overrides.contains("{")
            ? new String[] {FEDBUFF, SMALL_BUFFER, "federation.server_optimizer.type=adam"}
            : new String[] {overrides, "federation.server_optimizer.type=adam"};
    String whole = runs.run(2, settings).hash();
    Run stopped = runs.run(3, false, 3, settings);
    assertTrue(stopped.result().stopped());
    assertEquals(3, stopped.result().rounds());
    Run resumed = runs.run(2, true, Integer.MAX_VALUE, settings);
    assertEquals(3, resumed.rounds().size());
    assertEquals(whole, resumed.hash());
  }

  @Test
  void aCheckpointOfOtherSettingsIsRefused() throws Exception {
    runs.run(1, false, 2);
    CheckpointException e =
        assertThrows(
            CheckpointException.class,
            () -> runs.run(1, true, Integer.MAX_VALUE, "federation.batch_size=17"));
    assertTrue(e.getMessage().contains("with other data, seed, model or settings"), e.getMessage());
  }

  @Test
  void aDamagedCheckpointIsRefused() throws Exception {
    runs.run(1, false, 2);
    byte[] content = Files.readAllBytes(runs.checkpoint());
    content[content.length / 2] ^= 1;
    Files.write(runs.checkpoint(), content);
    CheckpointException e =
        assertThrows(CheckpointException.class, () -> runs.run(1, true, Integer.MAX_VALUE));
    assertTrue(e.getMessage().contains("is damaged"), e.getMessage());
  }

  @Test
  void aClientOfNanIsLeftOutAndNamedInTheCount() throws Exception {
    Run run = runs.run(2, "federation.attack.type=nan", "federation.per_round=8");
    assertTrue(run.rounds().stream().allMatch(round -> round.rejected() == 1));
    assertTrue(run.accuracy() > 0.6, run.rounds().toString());
  }

  @Test
  void theMedianBearsWhatTheMeanDoesNot() throws Exception {
    String[] flips = {
      "federation.attack={type: sign_flip, scale: 10, clients: 2}",
      "federation.per_round=8",
      "federation.rounds=20",
      "federation.partition={type: iid}"
    };
    String[] median = Arrays.copyOf(flips, 5);
    median[4] = "federation.aggregation.rule=median";
    double ofMean = runs.run(1, flips).accuracy();
    double ofMedian = runs.run(1, median).accuracy();
    assertTrue(ofMedian > 0.85, "median " + ofMedian);
    assertTrue(ofMean < ofMedian - 0.1, "mean " + ofMean + ", median " + ofMedian);
  }

  @Test
  void tooFewAnswersForTheFaultyOnesLeaveTheModelAsItWas() throws Exception {
    Run run =
        runs.run(1, "federation.aggregation={rule: krum, faulty: 2}", "federation.per_round=6");
    assertTrue(run.rounds().stream().allMatch(round -> round.changeNorm() == 0));
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

  @Test
  void aNameThatNoLayerHasIsRefusedWithThoseThatThereAre() {
    ConfigKeyException e =
        assertThrows(ConfigKeyException.class, () -> runs.run(1, "federation.personal=[head]"));
    assertTrue(e.getMessage().contains("head, but the model has layer0."), e.getMessage());
  }

  @Test
  void aPartitionThatIsGivenInAFileIsThat() throws Exception {
    String dealt = runs.run(1).hash();
    FederateConfig config = runs.config();
    StringBuilder lines = new StringBuilder();
    try (Dataset dataset = DataFiles.open(config.data())) {
      Partition partition =
          Partition.of(
              config.federation().partition(),
              8,
              dataset,
              dataset.split(config.data()).train(),
              true,
              config.seed());
      for (int client = 0; client < 8; client++) {
        String line = Arrays.toString(partition.samples(client));
        lines.append(line, 1, line.length() - 1).append('\n');
      }
    }
    Path file = Files.writeString(folder.resolve("parts.txt"), lines);
    String given = "federation.partition={type: given, file: '" + file + "'}";
    assertEquals(dealt, runs.run(1, given).hash());
    Files.writeString(file, lines + "7\n");
    assertThrows(ConfigKeyException.class, () -> runs.run(1, given, "federation.clients=9"));
    assertThrows(ConfigKeyException.class, () -> runs.run(1, given));
  }

  private static double lastLoss(Run run) {
    return run.result().last().orElseThrow().loss();
  }

  @Test
  void noiseIsAccountedForAsItsSamplerHasIt() throws Exception {
    String[] poisson = {
      "federation.privacy={noise_multiplier: 2, clip_norm: 1, delta: 0.001}",
      "federation.selection.type=poisson",
      "federation.per_round=4"
    };
    Run run = runs.run(2, poisson);
    double expected =
        RenyiAccountant.create().plus(ClientSampling.poisson(8, 4), 2, 6).bound(0.001).epsilon();
    assertEquals(expected, run.result().privacy().orElseThrow().epsilon(), 1e-12);
    assertEquals(expected, run.rounds().get(5).epsilon().orElseThrow(), 1e-12);
    assertTrue(run.rounds().get(0).epsilon().orElseThrow() < expected);
    String[] fixed = Arrays.copyOf(poisson, 2);
    fixed[1] = "federation.per_round=4";
    double ofFixed = runs.run(1, fixed).result().privacy().orElseThrow().epsilon();
    assertTrue(ofFixed > expected, ofFixed + " " + expected);
  }

  /** The mean of eight changes of length 0.01 moves the model by at most that. */
  @Test
  void clippedChangesMoveTheModelByNoMoreThanTheirNorm() throws Exception {
    Run run =
        runs.run(
            1,
            "federation.privacy={noise_multiplier: 1.0e-6, clip_norm: 0.01}",
            "federation.per_round=8");
    assertTrue(run.rounds().stream().allMatch(round -> round.changeNorm() < 0.010001));
    assertTrue(run.rounds().stream().allMatch(round -> round.changeNorm() > 0.001));
  }

  @Test
  void aPrivateFederationGoesOnWithTheNormThatItHadReached() throws Exception {
    String adaptive = "federation.privacy={quantile: 0.5, clip_norm: 5, noise_multiplier: 0.5}";
    Run whole = runs.run(1, adaptive);
    runs.run(1, false, 3, adaptive);
    Run resumed = runs.run(2, true, Integer.MAX_VALUE, adaptive);
    assertEquals(whole.hash(), resumed.hash());
    assertTrue(whole.result().privacy().orElseThrow().clipNorm() < 4.9);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "federation.privacy={} federation.selection.type=weighted",
        "federation.privacy={} federation.algorithm=scaffold",
        "federation.privacy={} federation.aggregation.rule=median",
        "federation.privacy.delta=0",
        "federation.per_round=9",
        "federation.clients=0",
        "federation.fraction=0.5",
        "federation.algorithm=scaffold federation.aggregation.rule=median",
        "federation.algorithm=scaffold optimizer.momentum=0.9",
        "federation.algorithm=fednova optimizer.type=adam",
        "federation.local_steps=0",
        "federation.mu=-1",
        "threads=0"
      })
  void whatDoesNotFitTogetherIsRefusedByKey(String overrides) {
    ConfigException e =
        assertThrows(ConfigException.class, () -> runs.config(overrides.split(" ")));
    String key = overrides.substring(0, overrides.indexOf('='));
    assertTrue(e.getMessage().lines().count() <= 2, e.getMessage());
    assertTrue(!e.getMessage().isBlank(), key);
  }

  @Test
  void moreClientsThanSamplesAreRefused() {
    ConfigKeyException e =
        assertThrows(
            ConfigKeyException.class,
            () -> runs.run(1, "federation.clients=321", "federation.partition.type=iid"));
    assertEquals("clients: are 321 for 320 training samples", e.getMessage());
  }

  @Test
  void everyColumnValueIsAClient() throws Exception {
    Run run =
        runs.run(
            2,
            "federation.clients=4",
            "federation.per_round=4",
            "data.features=[x, y, station]",
            "federation.partition={type: column, column: station}");
    assertEquals(4, run.result().samples().size());
    assertEquals(320, run.result().samples().stream().mapToInt(Integer::intValue).sum());
  }
}
