package dev.lockstep.federated;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.federated.FederationRuns.Run;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** FedBuff (Nguyen et al. 2022) over a network: nobody waits for the slowest. */
@Timeout(240)
class BufferedRoundsTest {
  private static final String FEDBUFF = "federation.algorithm=fedbuff";

  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  private static int[] clients(int count) {
    return IntStream.range(0, count).toArray();
  }

  /** In which order the clients of a round that are at work are done. */
  private interface Schedule {
    void run(StallClock clock, int rounds) throws InterruptedException;
  }

  /**
   * Rounds a second of ten clients' answers each. There are twenty, each of whose trainings stalls
   * for a log-normal time, as in the simulation.
   */
  private double roundsPerSecond(Schedule schedule, String... algorithm) throws Exception {
    int rounds = 15;
    StallClock clock = new StallClock();
    String[] settings = {
      "federation.clients=20",
      "federation.per_round=10",
      "federation.partition={type: iid}",
      "federation.local_steps=1",
      "federation.evaluate_every=1000",
      "federation.rounds=" + rounds
    };
    try (NetworkRuns network =
        new NetworkRuns(runs, folder, FederationRuns.joined(settings, algorithm))) {
      network.through(
          (client, data) -> {
            Random random = new Random(1000 + client);
            return Readings.before(data, () -> clock.stall(Math.exp(random.nextGaussian())));
          });
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(clients(20));
      schedule.run(clock, rounds);
      clock.endAll();
      Run run = network.end(server);
      assertTrue(run.rounds().stream().allMatch(r -> r.answered() == 10), run.rounds().toString());
      return rounds / clock.now();
    }
  }

  /** All ten of a round, from the quickest to the slowest. */
  private static void waitForAll(StallClock clock, int rounds) throws InterruptedException {
    for (int round = 0; round < rounds; round++) {
      for (int left = 10; left > 0; left--) {
        clock.endFirstOf(left);
      }
    }
  }

  /** Of ten that are always at work. */
  private static void replaceWhoIsDone(StallClock clock, int rounds) throws InterruptedException {
    for (int answer = 0; answer < 10 * rounds; answer++) {
      clock.endFirstOf(10);
    }
  }

  @Test
  void aBufferOfTenMakesMoreRoundsASecondThanWaitingForTen() throws Exception {
    double waiting = roundsPerSecond(BufferedRoundsTest::waitForAll);
    double buffered =
        roundsPerSecond(
            BufferedRoundsTest::replaceWhoIsDone,
            FEDBUFF,
            "federation.asynchronous={buffer: 10, concurrency: 10}");
    System.out.printf("FedBuff over a network, K = 10: %.2f times as fast%n", buffered / waiting);
    assertTrue(buffered > 1.5 * waiting, buffered + " rounds/s against " + waiting);
  }

  @Test
  void clientsLearnFromOneAnotherAndAnswersThatAreLateCountLess() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            FEDBUFF,
            "federation.rounds=30",
            "federation.asynchronous={buffer: 3, concurrency: 8}")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(clients(8));
      Run run = network.end(server);
      assertEquals(30, run.rounds().size());
      assertTrue(run.rounds().stream().allMatch(r -> r.answered() == 3), run.rounds().toString());
      double staleness =
          run.rounds().stream().mapToDouble(RoundReport::staleness).average().orElseThrow();
      // With eight always at work, of whom three make a model, 8 / 3 - 1; fewer are while the
      // server is busy with a round.
      assertTrue(staleness > 0.3 && staleness < 8 / 3.0 - 0.9, "staleness " + staleness);
      assertTrue(run.accuracy() > 0.85, run.rounds().toString());
      assertTrue(network.allHeardTheEnd());
    }
  }

  @Test
  void withOneAtWorkNothingIsEverLate() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            FEDBUFF,
            "federation.rounds=8",
            "federation.asynchronous={buffer: 1, concurrency: 1}")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(clients(8));
      Run run = network.end(server);
      assertTrue(run.rounds().stream().allMatch(r -> r.staleness() == 0), run.rounds().toString());
    }
  }

  @Test
  void aServerThatIsStoppedGoesOnFromItsCheckpoint() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            FEDBUFF,
            "federation.rounds=12",
            "federation.asynchronous={buffer: 3, concurrency: 6}")) {
      AtomicBoolean stop = new AtomicBoolean();
      Future<Run> first =
          network.serve(
              false,
              new FederationListener() {
                @Override
                public void round(RoundReport report) {
                  stop.set(report.round() >= 5);
                }

                @Override
                public boolean stopRequested() {
                  return stop.get();
                }
              });
      network.join(clients(8));
      assertEquals(5, first.get(100, SECONDS).result().rounds());
      Run second = network.end(network.serve(true, FederationListener.none()));
      assertEquals(7, second.rounds().size());
      assertTrue(second.accuracy() > 0.6, second.rounds().toString());
    }
  }
}
