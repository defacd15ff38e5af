package dev.lockstep.federated;

import static dev.lockstep.federated.ClientMessages.MOST_BYTES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.RawBytes;
import dev.lockstep.federated.network.ServerConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** FedBuff over a network with clients that fail, hurry, come back or send what is no answer. */
@Timeout(240)
class BufferedClientsTest {
  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  private NetworkRuns network(String asynchronous, String... overrides) throws Exception {
    String[] fedbuff = {
      "federation.algorithm=fedbuff", "federation.asynchronous={" + asynchronous + "}"
    };
    return new NetworkRuns(runs, folder, FederationRuns.joined(fedbuff, overrides));
  }

  /** So many clients, all of them made by hand, and so many rounds. */
  private NetworkRuns ofFew(int clients, int rounds, String asynchronous, String... overrides)
      throws Exception {
    String[] few = {
      "federation.rounds=" + rounds,
      "federation.partition={type: iid}",
      "federation.clients=" + clients,
      "federation.per_round=" + clients
    };
    return network(asynchronous, FederationRuns.joined(few, overrides));
  }

  /** An answer to the first round's work that is not finite: it counts, and is left out. */
  private static ByteBuffer notFinite(Frame work) {
    return ClientMessages.unchanged(work).put(Integer.BYTES + Double.BYTES, (byte) 0);
  }

  @Test
  void aClientThatCannotOrStopsMidMessageHoldsNobodyUp() throws Exception {
    try (NetworkRuns network =
        network(
            "buffer: 4, concurrency: 8",
            "federation.rounds=4",
            "federation.network.deadline=4",
            "federation.network.minimum=6")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection unable = network.joinByHand(6);
          ServerConnection stops = network.joinByHand(7)) {
        network.join(0, 1, 2, 3, 4, 5);
        int round = ClientMessages.round(unable.receive(MOST_BYTES));
        unable.send(Protocol.UNABLE, ClientMessages.unable(round, "hot!"));
        ByteBuffer half = ClientMessages.unchanged(stops.receive(MOST_BYTES));
        RawBytes.sendBeginning(stops, Protocol.TRAINED, half, half.limit() / 2);
        unable.close();
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
    Semaphore others = new Semaphore(0);
    try (NetworkRuns network =
        network(
            "buffer: 4, concurrency: 8",
            "federation.rounds=" + rounds,
            "federation.partition={type: iid}",
            "federation.local_steps=1")) {
      network.through((client, data) -> Readings.before(data, others::acquire));
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(0, 1, 2, 3, 4, 5, 6);
      try (ServerConnection fast = network.joinByHand(7)) {
        int answers = 0;
        for (Frame next = fast.receive(MOST_BYTES);
            next.kind() == Protocol.WORK;
            next = fast.receive(MOST_BYTES)) {
          fast.send(Protocol.TRAINED, ClientMessages.unchanged(next));
          answers++;
          others.release(3);
        }
        fast.send(Protocol.ENDED);
        others.release(100);
        Run run = network.end(server);
        assertTrue(run.rounds().stream().allMatch(r -> r.answered() == 4), run.rounds().toString());
        assertTrue(run.rounds().stream().allMatch(r -> r.rejected() == 0), run.rounds().toString());
        // One more may come after the last round.
        assertTrue(answers >= rounds && answers <= rounds + 1, answers + " answers");
        assertTrue(network.allHeardTheEnd());
      }
    }
  }

  @Test
  void aRoundEndsByItsDeadlineWithWhatHasCome() throws Exception {
    try (NetworkRuns network =
        ofFew(2, 1, "buffer: 2, concurrency: 2", "federation.network.deadline=3")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection answers = network.joinByHand(0);
          ServerConnection silent = network.joinByHand(1)) {
        answers.send(Protocol.TRAINED, notFinite(answers.receive(MOST_BYTES)));
        assertEquals(Protocol.WORK, silent.receive(MOST_BYTES).kind());
        NetworkRuns.stayToTheEnd(answers);
        NetworkRuns.stayToTheEnd(silent);
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
        ofFew(3, 1, "buffer: 1, concurrency: 3", "federation.network.deadline=60")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection quick = network.joinByHand(0);
          ServerConnection leaves = network.joinByHand(1);
          ServerConnection slow = network.joinByHand(2)) {
        Frame work = quick.receive(MOST_BYTES);
        assertEquals(Protocol.WORK, leaves.receive(MOST_BYTES).kind());
        assertEquals(Protocol.WORK, slow.receive(MOST_BYTES).kind());
        quick.send(Protocol.TRAINED, notFinite(work));
        NetworkRuns.stayToTheEnd(quick);
        leaves.close();
        try (ServerConnection back = network.joinByHand(1)) {
          NetworkRuns.stayToTheEnd(back);
        }
        slow.send(Protocol.TRAINED, notFinite(work));
        NetworkRuns.stayToTheEnd(slow);
        assertEquals(1, network.end(server).rounds().size());
      }
    }
  }

  @Test
  void whoSendsWhatIsNoAnswerGetsNoWorkInThatRoundAgain() throws Exception {
    try (NetworkRuns network = ofFew(2, 1, "buffer: 2, concurrency: 2")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection wrong = network.joinByHand(0);
          ServerConnection right = network.joinByHand(1)) {
        int numbers = ClientMessages.numbers(wrong.receive(MOST_BYTES));
        wrong.send(Protocol.TRAINED, ClientMessages.trained(0, numbers - 1, 0));
        assertThrows(IOException.class, () -> wrong.receive(MOST_BYTES));
        try (ServerConnection back = network.joinByHand(0)) {
          for (int i = 0; i < 2; i++) {
            right.send(Protocol.TRAINED, notFinite(right.receive(MOST_BYTES)));
          }
          Frame first = back.receive(MOST_BYTES);
          assertEquals(Protocol.END, first.kind());
          back.send(Protocol.ENDED);
          NetworkRuns.stayToTheEnd(right);
        }
        assertEquals(2, network.end(server).rounds().get(0).answered());
      }
    }
  }

  /** That it is sent its work again and again makes it no less overdue. */
  @Test
  void aClientThatKeepsComingBackMakesRoomForAnotherOne() throws Exception {
    try (NetworkRuns network =
        ofFew(
            2,
            2,
            "buffer: 1, concurrency: 1",
            "federation.network.deadline=4",
            "federation.network.minimum=1")) {
      network.keepOffTheConsole();
      Future<Run> server = network.serve(false, FederationListener.none());
      ServerConnection first = network.joinByHand(0); // alone, so that it is drawn
      assertEquals(Protocol.WORK, first.receive(MOST_BYTES).kind());
      try (ServerConnection other = network.joinByHand(1)) {
        Future<Boolean> answer =
            network.submit(
                () -> {
                  other.send(Protocol.TRAINED, notFinite(other.receive(MOST_BYTES)));
                  NetworkRuns.stayToTheEnd(other);
                  return true;
                });
        long end = System.nanoTime() + 60_000_000_000L;
        int told = Protocol.WORK;
        // Whoever comes back when it has just become overdue hears of nothing but the end.
        while (told == Protocol.WORK
            && network.logged("client 0 has not answered within 4.0 s") == 0) {
          assertTrue(System.nanoTime() < end, "it is never overdue");
          first.close();
          first = network.joinByHand(0);
          told = first.receive(MOST_BYTES).kind();
        }
        first.close();
        assertTrue(answer.get(60, TimeUnit.SECONDS));
        assertTrue(network.logged("client 0 has not answered within 4.0 s") > 0);
        Run run = network.end(server);
        assertTrue(run.rounds().stream().anyMatch(r -> r.answered() == 1), run.rounds().toString());
      } finally {
        first.close();
      }
    }
  }
}
