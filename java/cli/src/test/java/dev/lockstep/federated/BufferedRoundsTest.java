package dev.lockstep.federated;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.Dataset;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.RawBytes;
import dev.lockstep.federated.network.ServerConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** FedBuff (Nguyen et al. 2022) between processes: nobody waits for the slowest. */
@Timeout(240)
class BufferedRoundsTest {
  private static final String FEDBUFF = "federation.algorithm=fedbuff";
  private static final int MOST_BYTES = 1 << 20;

  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  private static int[] clients(int count) {
    return IntStream.range(0, count).toArray();
  }

  /** Data whose every reading takes a time of its own, log-normal as in the simulation. */
  private static Dataset stalling(int client, Dataset data, double medianMillis) {
    Random random = new Random(1000 + client);
    return Readings.before(
        data, () -> Thread.sleep((long) (medianMillis * Math.exp(random.nextGaussian()))));
  }

  /** Rounds a second of ten clients' answers each, by twenty clients that stall. */
  private double roundsPerSecond(int rounds, String... algorithm) throws Exception {
    String[] settings = {
      "federation.clients=20",
      "federation.per_round=10",
      "federation.partition={type: iid}",
      "federation.local_steps=1",
      "federation.evaluate_every=1000",
      "federation.rounds=" + rounds
    };
    String[] all = Arrays.copyOf(settings, settings.length + algorithm.length);
    System.arraycopy(algorithm, 0, all, settings.length, algorithm.length);
    try (NetworkRuns network = new NetworkRuns(runs, folder, all)) {
      network.through((client, data) -> stalling(client, data, 100));
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(clients(20));
      Run run = network.end(server);
      assertTrue(run.rounds().stream().allMatch(r -> r.answered() == 10), run.rounds().toString());
      // The first round has the clients' beginning in it.
      double seconds = run.rounds().stream().skip(1).mapToDouble(RoundReport::seconds).sum();
      return (rounds - 1) / seconds;
    }
  }

  @Test
  void aBufferOfTenMakesMoreRoundsASecondThanWaitingForTen() throws Exception {
    double waiting = roundsPerSecond(15);
    double buffered =
        roundsPerSecond(15, FEDBUFF, "federation.asynchronous={buffer: 10, concurrency: 10}");
    System.out.printf(
        "FedBuff over a network, K = 10: %.2f rounds/s; waiting for ten: %.2f; ratio %.2f%n",
        buffered, waiting, buffered / waiting);
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
  void aClientThatCannotOrStopsMidMessageHoldsNobodyUp() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            FEDBUFF,
            "federation.rounds=4",
            "federation.network.deadline=4",
            "federation.network.minimum=6",
            "federation.asynchronous={buffer: 4, concurrency: 8}")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection unable = network.joinByHand(6);
          ServerConnection stops = network.joinByHand(7)) {
        network.join(clients(6));
        Frame work = unable.receive(MOST_BYTES);
        unable.send(
            Protocol.UNABLE,
            ByteBuffer.allocate(8)
                .putInt(work.body().getInt(0))
                .put("hot!".getBytes(UTF_8))
                .flip());
        work = stops.receive(MOST_BYTES);
        ByteBuffer half = ByteBuffer.allocate(work.body().remaining());
        RawBytes.sendBeginning(stops, Protocol.TRAINED, half, half.limit() / 2);
        Run run = network.end(server);
        assertEquals(4, run.rounds().size());
        assertTrue(run.rounds().stream().allMatch(r -> r.answered() == 4), run.rounds().toString());
        assertTrue(network.logged("client 6 cannot: hot!") >= 1);
      }
    }
  }

  /** Of eight that are there one has ⌈8 / 8⌉ answers in a buffer of four at most. */
  @Test
  void aClientThatAnswersAtOnceCannotFillABuffer() throws Exception {
    int rounds = 5;
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            FEDBUFF,
            "federation.rounds=" + rounds,
            "federation.local_steps=1",
            "federation.asynchronous={buffer: 4, concurrency: 8}")) {
      network.through((client, data) -> stalling(client, data, 300));
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(clients(7));
      try (ServerConnection fast = network.joinByHand(7)) {
        int answers = 0;
        for (Frame next = fast.receive(MOST_BYTES);
            next.kind() == Protocol.WORK;
            next = fast.receive(MOST_BYTES)) {
          ByteBuffer work = next.body();
          ByteBuffer answer = ByteBuffer.allocate(work.remaining()); // as long as the work
          answer.putInt(work.getInt()).putDouble(0.5).put((byte) 1);
          work.position(work.position() + Long.BYTES + 1);
          fast.send(Protocol.TRAINED, answer.put(work).flip());
          answers++;
        }
        Run run = network.end(server);
        assertTrue(run.rounds().stream().allMatch(r -> r.answered() == 4), run.rounds().toString());
        assertTrue(run.rounds().stream().allMatch(r -> r.rejected() == 0), run.rounds().toString());
        // One more may come after the last round.
        assertTrue(answers >= 2 && answers <= rounds + 1, answers + " answers");
        assertTrue(network.allHeardTheEnd());
      }
    }
  }

  @Test
  void aRoundEndsByItsDeadlineWithWhatHasCome() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            FEDBUFF,
            "federation.rounds=1",
            "federation.clients=2",
            "federation.per_round=2",
            "federation.network.deadline=3",
            "federation.asynchronous={buffer: 2, concurrency: 2}")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection silent = network.joinByHand(0);
          ServerConnection another = network.joinByHand(1)) {
        Frame work = silent.receive(MOST_BYTES);
        ByteBuffer answer = ByteBuffer.allocate(work.body().remaining());
        answer.putInt(0).putDouble(0.5).put((byte) 0); // not finite: answered, and left out
        silent.send(Protocol.TRAINED, answer.position(0));
        assertEquals(Protocol.WORK, another.receive(MOST_BYTES).kind());
        Run run = network.end(server);
        assertTrue(run.rounds().get(0).seconds() >= 2.9, run.rounds().toString());
        assertEquals(1, run.rounds().get(0).answered());
        assertEquals(1, run.rounds().get(0).rejected());
        assertEquals(0, run.rounds().get(0).changeNorm());
        assertEquals(1, network.logged("1 of 2 answers have come by its deadline"));
      }
    }
  }

  @Test
  void aClientThatComesBackWhileTheEndIsToldHearsOfIt() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            FEDBUFF,
            "federation.rounds=1",
            "federation.clients=3",
            "federation.per_round=3",
            "federation.network.deadline=60",
            "federation.asynchronous={buffer: 1, concurrency: 3}")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection quick = network.joinByHand(0);
          ServerConnection leaves = network.joinByHand(1);
          ServerConnection slow = network.joinByHand(2)) {
        int bytes = quick.receive(MOST_BYTES).body().remaining(); // as many as an answer has
        assertEquals(Protocol.WORK, leaves.receive(MOST_BYTES).kind());
        assertEquals(Protocol.WORK, slow.receive(MOST_BYTES).kind());
        quick.send(Protocol.TRAINED, ByteBuffer.allocate(bytes));
        assertEquals(Protocol.END, quick.receive(MOST_BYTES).kind());
        leaves.close();
        try (ServerConnection back = network.joinByHand(1)) {
          assertEquals(Protocol.END, back.receive(MOST_BYTES).kind());
        }
        slow.send(Protocol.TRAINED, ByteBuffer.allocate(bytes));
        assertEquals(Protocol.END, slow.receive(MOST_BYTES).kind());
        assertEquals(1, network.end(server).rounds().size());
      }
    }
  }

  @Test
  void whoSendsWhatIsNoAnswerGetsNoWorkInThatRoundAgain() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            FEDBUFF,
            "federation.rounds=1",
            "federation.clients=2",
            "federation.per_round=2",
            "federation.asynchronous={buffer: 2, concurrency: 2}")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection wrong = network.joinByHand(0);
          ServerConnection right = network.joinByHand(1)) {
        int bytes = wrong.receive(MOST_BYTES).body().remaining();
        wrong.send(Protocol.TRAINED, ByteBuffer.allocate(bytes - 1));
        assertThrows(IOException.class, () -> wrong.receive(MOST_BYTES));
        try (ServerConnection back = network.joinByHand(0)) {
          for (int i = 0; i < 2; i++) {
            assertEquals(Protocol.WORK, right.receive(MOST_BYTES).kind());
            right.send(Protocol.TRAINED, ByteBuffer.allocate(bytes));
          }
          assertEquals(Protocol.END, back.receive(MOST_BYTES).kind());
        }
        assertEquals(2, network.end(server).rounds().get(0).answered());
      }
    }
  }

  /** That it is sent its work again and again makes it no less overdue. */
  @Test
  void aClientThatKeepsComingBackMakesRoomForAnotherOne() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            FEDBUFF,
            "federation.rounds=2",
            "federation.clients=2",
            "federation.per_round=2",
            "federation.network.deadline=5",
            "federation.network.minimum=1",
            "federation.asynchronous={buffer: 1, concurrency: 1}")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      ServerConnection first = network.joinByHand(0); // alone, so that it is drawn
      int bytes = first.receive(MOST_BYTES).body().remaining();
      try (ServerConnection other = network.joinByHand(1)) {
        for (int i = 0; i < 4; i++) {
          Thread.sleep(1500);
          first.close();
          first = network.joinByHand(0);
        }
        ByteBuffer work = other.receive(MOST_BYTES).body();
        other.send(Protocol.TRAINED, ByteBuffer.allocate(bytes).putInt(0, work.getInt(0)));
        Run run = network.end(server);
        assertTrue(run.rounds().stream().anyMatch(r -> r.answered() == 1), run.rounds().toString());
      } finally {
        first.close();
      }
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
