package dev.lockstep.federated;

import static dev.lockstep.federated.ClientMessages.MOST_BYTES;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.ServerConnection;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients, and a server, that go and come back: as others than they were, twice, or too late. */
@Timeout(240)
class ReturningClientsTest {
  private static final int[] ALL_BUT_THE_LAST = {0, 1, 2, 3, 4, 5, 6};
  private static final int LAST = 7;
  private static final String EVERYBODY = "federation.per_round=8";
  private static final String SECURE =
      "federation.privacy={noise_multiplier: 0, secure_aggregation: {}}";

  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  /** The weights of a round are those of its beginning; with others its sum would be wrong. */
  @Test
  void aClientThatComesBackWithOtherSamplesTakesPartInTheNextRound() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs, folder, EVERYBODY, "federation.rounds=2", "federation.network.deadline=100")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(ALL_BUT_THE_LAST);
      try (ServerConnection before = network.joinByHand(LAST)) {
        assertEquals(Protocol.WORK, before.receive(MOST_BYTES).kind());
      }
      try (ServerConnection after = network.joinByHand(LAST, 1000)) {
        ByteBuffer work = after.receive(MOST_BYTES).body();
        assertEquals(1, work.getInt(0), "the round for which it is asked, from 0");
        after.send(Protocol.UNABLE, ClientMessages.unable(1, "later"));
        NetworkRuns.stayToTheEnd(after);
        Run run = network.end(server);
        assertEquals(7, run.rounds().get(0).answered());
        assertEquals(7, run.rounds().get(1).answered());
        assertTrue(run.rounds().get(0).seconds() < 50, run.rounds().toString());
      }
    }
  }

  @Test
  void aStopWithinASecureSumLeavesTheRoundUndone() throws Exception {
    String[] settings = {SECURE, EVERYBODY, "federation.rounds=2"};
    String expected = runs.run(1, settings).hash();
    try (NetworkRuns network = new NetworkRuns(runs, folder, settings)) {
      AtomicBoolean stop = new AtomicBoolean();
      FederationListener stopping =
          new FederationListener() {
            @Override
            public boolean stopRequested() {
              return stop.get();
            }
          };
      Future<Run> first = network.serve(false, stopping);
      network.join(ALL_BUT_THE_LAST);
      try (ServerConnection silent = network.joinByHand(LAST)) {
        assertEquals(Protocol.WORK, silent.receive(MOST_BYTES).kind());
        ByteBuffer trained = ByteBuffer.allocate(13).putInt(0).putDouble(0.5).put((byte) 1);
        silent.send(Protocol.TRAINED, trained.flip());
        assertEquals(Protocol.SEALED, silent.receive(MOST_BYTES).kind());
        stop.set(true);
        Run stopped = first.get(100, SECONDS);
        assertTrue(stopped.result().stopped());
        assertEquals(0, stopped.result().rounds());
      }
      Future<Run> second = network.serve(true, FederationListener.none());
      network.join(LAST);
      assertEquals(expected, network.end(second).hash());
    }
  }

  /** Those that had answered train again, with the layers of their own that they had before. */
  @Test
  void aRoundThatIsAskedForAgainBeginsWithTheSameOwnLayers() throws Exception {
    String[] settings = {EVERYBODY, "federation.personal=[layer1]"};
    String expected = runs.run(1, settings).hash();
    AtomicBoolean closed = new AtomicBoolean();
    AtomicBoolean stop = new AtomicBoolean();
    CountDownLatch waits = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    try (NetworkRuns network = new NetworkRuns(runs, folder, settings)) {
      network.through(
          (client, data) ->
              client == LAST
                  ? Readings.before(
                      data,
                      () -> {
                        if (closed.get()) {
                          waits.countDown();
                          gate.await();
                        }
                      })
                  : data);
      Future<Run> first =
          network.serve(
              false,
              new FederationListener() {
                @Override
                public void round(RoundReport report) {
                  closed.set(report.round() == 3);
                }

                @Override
                public boolean stopRequested() {
                  return stop.get();
                }
              });
      network.join(ALL_BUT_THE_LAST);
      network.join(LAST);
      assertTrue(waits.await(100, SECONDS));
      stop.set(true);
      assertEquals(3, first.get(100, SECONDS).result().rounds());
      closed.set(false);
      gate.countDown();
      Run resumed = network.end(network.serve(true, FederationListener.none()));
      assertEquals(3, resumed.rounds().size());
      assertEquals(expected, resumed.hash());
    }
  }

  /** Otherwise both would take the number from each other for ever. */
  @Test
  void ofTwoProcessesWithOneNumberTheFirstIsToldAndEnds() throws Exception {
    try (NetworkRuns network = new NetworkRuns(runs, folder, EVERYBODY)) {
      CountDownLatch twoRounds = new CountDownLatch(2);
      Future<Run> server =
          network.serve(
              false,
              new FederationListener() {
                @Override
                public void round(RoundReport report) {
                  twoRounds.countDown();
                }
              });
      network.join(ALL_BUT_THE_LAST);
      FederateConfig config = network.config();
      CountDownLatch trained = new CountDownLatch(1);
      try (Dataset dataset = DataFiles.open(config.data());
          FederationClient first =
              new FederationClient(
                  config.plan(),
                  LAST,
                  dataset,
                  network.samples(dataset, LAST),
                  Federation.clientToken(NetworkRuns.TOKEN, LAST))) {
        Future<Boolean> ended =
            network.submit(
                () ->
                    first.run(
                        round -> {
                          trained.countDown();
                          await(twoRounds); // the second of which needs the other process
                        },
                        Optional.empty()));
        assertTrue(trained.await(100, SECONDS));
        network.join(LAST);
        ExecutionException e =
            assertThrows(ExecutionException.class, () -> ended.get(100, SECONDS));
        assertTrue(e.getCause() instanceof CommunicationException, e.toString());
        assertTrue(e.getCause().getMessage().contains("another process"), e.toString());
      }
      assertTrue(network.end(server).rounds().stream().allMatch(r -> r.answered() == 8));
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(100, SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aLossThatComesWhileItsClientIsToTrainIsLateAndItsModelCounts() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            EVERYBODY,
            "federation.rounds=1",
            "federation.selection.type=power_of_choice",
            "federation.network.deadline=4")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(ALL_BUT_THE_LAST);
      try (ServerConnection slow = network.joinByHand(LAST)) {
        assertEquals(Protocol.ASK_LOSS, slow.receive(MOST_BYTES).kind());
        Frame work = slow.receive(MOST_BYTES); // after the losses' deadline
        slow.send(Protocol.LOSS, ClientMessages.loss(0, 0.7));
        slow.send(Protocol.TRAINED, ClientMessages.unchanged(work));
        NetworkRuns.stayToTheEnd(slow);
        Run run = network.end(server);
        assertEquals(8, run.rounds().get(0).answered());
        assertEquals(1, network.logged("client 7 answered after the deadline"));
      }
    }
  }

  /** A client has two turns in a round; that it has told its loss makes its model no repetition. */
  @Test
  void aModelThatComesInTheNextRoundIsLateAndItsClientStays() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            EVERYBODY,
            "federation.rounds=2",
            "federation.selection.type=power_of_choice",
            "federation.network.deadline=4")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(ALL_BUT_THE_LAST);
      try (ServerConnection slow = network.joinByHand(LAST)) {
        assertEquals(Protocol.ASK_LOSS, slow.receive(MOST_BYTES).kind());
        slow.send(Protocol.LOSS, ClientMessages.loss(0, 0.7));
        int bytes = slow.receive(MOST_BYTES).body().remaining(); // as many as an answer has
        assertEquals(Protocol.ASK_LOSS, slow.receive(MOST_BYTES).kind()); // of the next round
        slow.send(Protocol.TRAINED, ByteBuffer.allocate(bytes));
        slow.send(Protocol.LOSS, ClientMessages.loss(1, 0.7));
        assertEquals(Protocol.WORK, slow.receive(MOST_BYTES).kind());
        slow.send(Protocol.UNABLE, ClientMessages.unable(1, "later"));
        NetworkRuns.stayToTheEnd(slow);
        Run run = network.end(server);
        assertEquals(7, run.rounds().get(1).answered());
        assertEquals(1, network.logged("client 7 answered after the deadline"));
      }
    }
  }
}
