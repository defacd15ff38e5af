package dev.lockstep.federated;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.config.NetworkConfig;
import dev.lockstep.federated.network.ServerConnection;
import dev.lockstep.model.Model;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(240)
class FederationNetworkTest {
  private static final int[] ALL = {0, 1, 2, 3, 4, 5, 6, 7};
  private static final int[] ALL_BUT_THE_LAST = {0, 1, 2, 3, 4, 5, 6};

  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "federation.server_optimizer.type=yogi",
        "federation.algorithm=fedprox federation.mu=0.1",
        "federation.algorithm=scaffold federation.local_epochs=2",
        "federation.algorithm=fednova optimizer.momentum=0.9",
        "federation.selection.type=power_of_choice federation.per_round=3",
        "federation.selection.type=weighted federation.aggregation.rule=norm_bound",
        "federation.personal=[layer1]",
        "federation.aggregation.rule=median"
      })
  void whenAllAnswerTheModelHasTheBytesOfTheSimulation(String overrides) throws Exception {
    Run simulated = runs.run(1, overrides.split(" "));
    try (NetworkRuns network = new NetworkRuns(runs, folder, overrides.split(" "))) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(ALL);
      Run run = network.end(server);
      assertEquals(simulated.hash(), run.hash());
      assertEquals(simulated.rounds().get(5).trainLoss(), run.rounds().get(5).trainLoss());
      assertEquals(simulated.rounds().get(5).loss(), run.rounds().get(5).loss());
      assertTrue(network.allHeardTheEnd());
      boolean same = sameParameters(folder.resolve("server.pt"), folder.resolve("client-3.pt"));
      assertEquals(!overrides.contains("personal"), same);
    }
  }

  /** A message has some 50 bytes besides its model, its seal included. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "federation.algorithm=fedprox | 2",
        "federation.algorithm=scaffold | 2",
        "federation.selection.type=power_of_choice federation.per_round=3 | 7",
        "federation.privacy={noise_multiplier: 0, secure_aggregation: {}} | 10"
      })
  void aSimulationHasTheBytesOfANetworkButForHeaders(String overrides, int messagesOfAClient)
      throws Exception {
    String[] settings = overrides.split(" (?=federation)");
    Run simulated = runs.run(1, settings);
    try (NetworkRuns network = new NetworkRuns(runs, folder, settings)) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(ALL);
      Run run = network.end(server);
      long least = run.rounds().stream().mapToLong(RoundReport::bytes).min().orElseThrow();
      long headers = least - simulated.rounds().get(0).bytes();
      long most = 52L * messagesOfAClient * run.rounds().get(0).selected();
      // A slow server tells each of the eight that it is there, with 37 bytes.
      assertTrue(headers > 0 && headers < most + 2 * 8 * 37, headers + " bytes of headers");
    }
  }

  private static boolean sameParameters(Path first, Path second) {
    try (Model a = Model.load(first);
        Model b = Model.load(second)) {
      boolean same = a.parameters().size() == b.parameters().size();
      for (int i = 0; i < a.parameters().size(); i++) {
        same &= a.parameters().get(i).tensor().equal(b.parameters().get(i).tensor());
      }
      return same;
    }
  }

  @Test
  void aClientThatLeavesInTheMiddleOfARoundAndComesBackChangesNothing() throws Exception {
    String everybody = "federation.per_round=8";
    String expected = runs.run(1, everybody).hash();
    try (NetworkRuns network = new NetworkRuns(runs, folder, everybody)) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(ALL_BUT_THE_LAST);
      try (ServerConnection connection = network.joinByHand(7)) {
        assertEquals(Protocol.WORK, connection.receive(1 << 20).kind());
      }
      network.join(7);
      Run run = network.end(server);
      assertEquals(expected, run.hash());
      assertTrue(run.rounds().stream().allMatch(round -> round.answered() == 8));
    }
  }

  @Test
  void aServerThatStopsInTheMiddleOfARoundGoesOnFromItsCheckpoint() throws Exception {
    String everybody = "federation.per_round=8";
    String expected = runs.run(1, everybody).hash();
    try (NetworkRuns network = new NetworkRuns(runs, folder, everybody)) {
      AtomicBoolean stop = new AtomicBoolean();
      CountDownLatch thirdRoundIsOver = new CountDownLatch(3);
      Future<Run> first =
          network.serve(
              false,
              new FederationListener() {
                @Override
                public void round(RoundReport report) {
                  thirdRoundIsOver.countDown();
                }

                @Override
                public boolean stopRequested() {
                  return stop.get();
                }
              });
      network.join(ALL_BUT_THE_LAST);
      FederateConfig config = network.config();
      try (Dataset dataset = DataFiles.open(config.data());
          FederationClient last =
              new FederationClient(
                  config.plan(),
                  7,
                  dataset,
                  network.samples(dataset, 7),
                  Federation.clientToken(NetworkRuns.TOKEN, 7))) {
        last.run(
            trained -> {
              if (trained.round() == 3) {
                last.close();
              }
            },
            Optional.empty());
      }
      assertTrue(thirdRoundIsOver.await(100, SECONDS));
      try (ServerConnection silent = network.joinByHand(7)) {
        assertEquals(Protocol.WORK, silent.receive(1 << 20).kind());
        stop.set(true);
        Run stopped = first.get(100, SECONDS);
        assertTrue(stopped.result().stopped());
        assertEquals(3, stopped.result().rounds());
      }
      Future<Run> second = network.serve(true, FederationListener.none());
      network.join(7);
      Run resumed = network.end(second);
      assertEquals(3, resumed.rounds().size());
      assertEquals(expected, resumed.hash());
    }
  }

  @Test
  void aClientWithAnotherTokenOrConfigurationIsToldSo() throws Exception {
    try (NetworkRuns network = new NetworkRuns(runs, folder)) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(ALL_BUT_THE_LAST);
      FederateConfig config = network.config();
      FederateConfig other = runs.config("optimizer.learning_rate=0.2", "seed=8");
      FederationPlan there =
          new FederationPlan(8, 1, other.model(), other.optimizer(), network.config().federation());
      try (Dataset dataset = DataFiles.open(config.data())) {
        long[] samples = network.samples(dataset, 7);
        NetworkConfig where = config.plan().network();
        FederationPlan impatient =
            new FederationPlan(
                config.plan().seed(),
                1,
                config.plan().model(),
                config.plan().optimizer(),
                config
                    .plan()
                    .federation()
                    .withNetwork(
                        new NetworkConfig(where.address(), where.deadline(), where.minimum(), 1)));
        // Anybody on the way can say so: the client tries again, and tells it when it gives up.
        assertRefused("its token is not that of client 7", impatient, 7, dataset, samples, 1);
        assertRefused("is not the server's: seed, optimizer", there, 7, dataset, samples, 0);
        assertRefused("there is no client 8", config.plan(), 8, dataset, samples, 0);
      }
      network.join(7);
      network.end(server);
      assertEquals(1, network.logged("is not the server's: seed, optimizer"));
      assertEquals(1, network.logged("there is no client 8"));
    }
  }

  private static void assertRefused(
      String why, FederationPlan plan, int number, Dataset dataset, long[] samples, int wrong) {
    byte[] token = Federation.clientToken(NetworkRuns.TOKEN, number + wrong);
    try (FederationClient client = new FederationClient(plan, number, dataset, samples, token)) {
      CommunicationException e =
          assertThrows(
              CommunicationException.class, () -> client.run(trained -> {}, Optional.empty()));
      assertTrue(e.getMessage().contains(why), e.getMessage());
      assertEquals(1, e.getMessage().lines().count());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "federation.attack.type=nan",
        "federation.latency.deadline=3",
      })
  void whatIsOnlySimulatedIsRefusedOverANetwork(String override) {
    FederateConfig config = runs.config(override, "federation.network={}");
    assertThrows(ConfigKeyException.class, () -> config.plan().network());
  }
}
