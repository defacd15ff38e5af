package dev.lockstep.federated;

import static dev.lockstep.federated.ClientMessages.MOST_BYTES;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.network.ClientConnections;
import dev.lockstep.federated.network.ClientHandler;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.ServerConnection;
import dev.lockstep.torch.TorchLibraries;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients hear of the end, or say in one line that they do not: none waits for ever. */
@Timeout(240)
class EndOfFederationTest {
  private static final String FIRST_ROUND = "federation.rounds=1";

  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  private NetworkRuns network(int clients, String... overrides) throws Exception {
    String[] few = {
      "federation.clients=" + clients,
      "federation.per_round=" + clients,
      "federation.partition={type: iid}"
    };
    return new NetworkRuns(runs, folder, FederationRuns.joined(few, overrides));
  }

  /** Ends its server when the last round is saved and nobody has been told. */
  private static final class FailsAtTheEnd implements FederationListener {
    private final int rounds;

    FailsAtTheEnd(int rounds) {
      this.rounds = rounds;
    }

    @Override
    public void round(RoundReport report) {
      if (report.round() == rounds) {
        throw new IllegalStateException("the last round cannot be shown");
      }
    }
  }

  private static void assertFails(Future<Run> server) {
    ExecutionException e = assertThrows(ExecutionException.class, () -> server.get(100, SECONDS));
    assertTrue(e.getCause() instanceof IllegalStateException, e.toString());
  }

  @Test
  void aServerThatFailsBeforeItTellsTheEndTellsItWhenItIsResumed() throws Exception {
    try (NetworkRuns network = network(3, "federation.rounds=2")) {
      Future<Run> first = network.serve(false, new FailsAtTheEnd(2));
      network.join(0, 1, 2);
      assertFails(first);
      Run resumed = network.end(network.serve(true, FederationListener.none()));
      assertEquals(0, resumed.rounds().size());
      assertTrue(network.allHeardTheEnd());
      assertEquals(0, network.logged("have not said that they know"));
    }
  }

  @Test
  void withoutAServerClientsSayWhereItWasAndEnd() throws Exception {
    try (NetworkRuns network = network(2, FIRST_ROUND, "federation.network.patience=1")) {
      Future<Run> server = network.serve(false, new FailsAtTheEnd(1));
      network.awaitServer();
      network.join(0, 1);
      assertFails(server);
      ExecutionException e = assertThrows(ExecutionException.class, network::allHeardTheEnd);
      String said = e.getCause().getMessage();
      assertTrue(e.getCause() instanceof CommunicationException, e.toString());
      assertTrue(said.contains("is away for more than 1.0 s"), said);
      assertEquals(1, said.lines().count());
    }
  }

  /** It has answered, and its connection ends before the server's last message. */
  @Test
  void aClientThatIsAwayWhenTheEndIsToldIsWaitedFor() throws Exception {
    try (NetworkRuns network = network(1, FIRST_ROUND)) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection leaves = network.joinByHand(0)) {
        leaves.send(Protocol.TRAINED, ClientMessages.unchanged(leaves.receive(MOST_BYTES)));
      }
      try (ServerConnection back = network.joinByHand(0)) {
        NetworkRuns.stayToTheEnd(back);
      }
      network.end(server);
      assertEquals(0, network.logged("have not said that they know"));
    }
  }

  @Test
  void aClientThatDoesNotAcknowledgeTheEndHoldsTheServerToTheDeadlineAndIsNamed() throws Exception {
    // Long enough for a round on a machine that does other work.
    try (NetworkRuns network = network(2, FIRST_ROUND, "federation.network.deadline=15")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(0);
      try (ServerConnection silent = network.joinByHand(1)) {
        silent.send(Protocol.TRAINED, ClientMessages.unchanged(silent.receive(MOST_BYTES)));
        assertEquals(Protocol.END, silent.receive(MOST_BYTES).kind());
        assertEquals(1, network.end(server).rounds().size());
        assertEquals(1, network.logged("Clients [1] have not said that they know"));
      }
    }
  }

  /** Of a server whose welcome is none. */
  private static ClientHandler welcomingWithNothing() {
    return new ClientHandler() {
      @Override
      public byte[] admit(int client, ByteBuffer hello) {
        return new byte[0];
      }

      @Override
      public void joined(int client) {}

      @Override
      public void received(int client, Frame message) {}
    };
  }

  private Future<Boolean> client(NetworkRuns network) {
    return network.submit(
        () -> {
          try (Dataset data = DataFiles.open(network.config().data());
              FederationClient client =
                  new FederationClient(
                      network.config().plan(),
                      0,
                      data,
                      network.samples(data, 0),
                      Federation.clientToken(NetworkRuns.TOKEN, 0))) {
            return client.run(trained -> {}, Optional.empty());
          }
        });
  }

  private static String failure(Future<Boolean> client) {
    ExecutionException e = assertThrows(ExecutionException.class, () -> client.get(100, SECONDS));
    assertTrue(e.getCause() instanceof CommunicationException, e.toString());
    assertEquals(1, e.getCause().getMessage().lines().count());
    return e.getCause().getMessage();
  }

  /** Otherwise it would come back and hear the same for ever. */
  @Test
  void aClientEndsAtAServerThatSaysWhatItDoesNotUnderstand() throws Exception {
    try (NetworkRuns network = network(1);
        ClientConnections server =
            new ClientConnections(
                network.address(), NetworkRuns.TOKEN, MOST_BYTES, welcomingWithNothing())) {
      Future<Boolean> client = client(network);
      long end = System.nanoTime() + SECONDS.toNanos(100);
      while (!client.isDone() && System.nanoTime() < end) {
        server.poll(Duration.ofMillis(20));
      }
      String said = failure(client);
      assertTrue(said.contains("says what client 0 does not understand"), said);
    }
  }

  /** The kernel takes its connection, and nobody answers. */
  @Test
  void aClientWaitsForAServerThatDoesNotAnswerNoLongerThanItHasPatience() throws Exception {
    try (NetworkRuns network = network(1, "federation.network.patience=1");
        ServerSocket deaf = new ServerSocket()) {
      deaf.bind(network.address());
      TorchLibraries.load(); // which takes its time
      long begin = System.nanoTime();
      String said = failure(client(network));
      assertTrue(said.contains("is away for more than 1.0 s"), said);
      assertTrue(System.nanoTime() - begin < 50e9, "it has waited for the 60 s of a handshake");
    }
  }
}
