package dev.lockstep.federated;

import static dev.lockstep.federated.ClientMessages.MOST_BYTES;
import static dev.lockstep.federated.ClientMessages.numbers;
import static dev.lockstep.federated.ClientMessages.trained;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.RawBytes;
import dev.lockstep.federated.network.ServerConnection;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that know the token, or do not, and send what they should not. */
@Timeout(240)
class HostileClientsTest {
  private static final String EVERYBODY = "federation.per_round=8";
  private static final String FIRST_ROUND = "federation.rounds=1";
  private static final int[] HONEST = {0, 1, 2, 3, 4, 5, 6};
  private static final int HOSTILE = 7;

  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  /** What a hostile client does with the work that it was given. */
  private interface Deed {
    void with(ServerConnection connection, Frame work) throws Exception;
  }

  /** A round of seven honest clients and one other. */
  private Run roundWith(NetworkRuns network, Deed deed) throws Exception {
    Future<Run> server = network.serve(false, FederationListener.none());
    network.join(HONEST);
    try (ServerConnection connection = network.joinByHand(HOSTILE)) {
      deed.with(connection, connection.receive(MOST_BYTES));
      stayIfItMay(connection);
      return network.end(server);
    }
  }

  private static void stayIfItMay(ServerConnection connection) {
    try {
      NetworkRuns.stayToTheEnd(connection);
    } catch (IOException e) {
      // The server has closed the connection, as it should.
    }
  }

  /** The model of the seven: the eighth says that it cannot train. */
  private String withoutIt() throws Exception {
    try (NetworkRuns network = network(100)) {
      ByteBuffer why = ClientMessages.unable(0, "it is tired");
      Run run = roundWith(network, (connection, work) -> connection.send(Protocol.UNABLE, why));
      assertEquals(7, run.rounds().get(0).answered());
      assertEquals(1, network.logged("client 7 cannot: it is tired"));
      return run.hash();
    }
  }

  private NetworkRuns network(int deadlineSeconds) throws Exception {
    return new NetworkRuns(
        runs, folder, EVERYBODY, FIRST_ROUND, "federation.network.deadline=" + deadlineSeconds);
  }

  @Test
  void aModelOfAnotherShapeIsLeftOut() throws Exception {
    String expected = withoutIt();
    for (int surplus : new int[] {-1, 1}) {
      try (NetworkRuns network = network(100)) {
        Run run =
            roundWith(
                network,
                (connection, work) ->
                    connection.send(Protocol.TRAINED, trained(0, numbers(work) + surplus, 0)));
        assertEquals(expected, run.hash());
        assertEquals(7, run.rounds().get(0).answered());
        assertEquals(1, network.logged("its model has"));
      }
    }
  }

  @Test
  void numbersThatAreNotFiniteAreLeftOut() throws Exception {
    String expected = withoutIt();
    for (float value : new float[] {Float.NaN, Float.NEGATIVE_INFINITY, 1e30f}) {
      try (NetworkRuns network = network(100)) {
        Run run =
            roundWith(
                network,
                (connection, work) ->
                    connection.send(Protocol.TRAINED, trained(0, numbers(work), value)));
        assertEquals(expected, run.hash());
        assertEquals(1, run.rounds().get(0).rejected());
        assertEquals(1, network.logged("the change of client 7 is not finite"));
      }
    }
  }

  /** What is a small change of the model may be a gradient that no sum of SCAFFOLD's holds. */
  @Test
  void aGradientThatControlVariatesCannotHoldIsLeftOut() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(
            runs,
            folder,
            "federation.algorithm=scaffold",
            "optimizer.learning_rate=1.0e-6",
            "federation.clients=1",
            "federation.per_round=1",
            "federation.partition={type: iid}",
            "federation.rounds=2")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection client = network.joinByHand(0)) {
        Frame first = client.receive(MOST_BYTES);
        client.send(Protocol.TRAINED, trained(0, numbers(first) / 2, 20));
        Frame second = client.receive(MOST_BYTES);
        assertEquals(ClientMessages.model(first), ClientMessages.model(second), "and correction");
        client.send(Protocol.UNABLE, ClientMessages.unable(1, "it is tired"));
        NetworkRuns.stayToTheEnd(client);
        assertEquals(1, network.end(server).rounds().get(0).rejected());
        assertEquals(1, network.logged("the gradient of client 0 is not finite or beyond 8192"));
      }
    }
  }

  @Test
  void anAnswerThatIsRepeatedCountsOnce() throws Exception {
    try (NetworkRuns network = network(100)) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(0, 1, 2, 3, 4, 5);
      try (ServerConnection slow = network.joinByHand(6);
          ServerConnection twice = network.joinByHand(HOSTILE)) {
        Frame work = twice.receive(MOST_BYTES);
        ByteBuffer unchanged = trained(0, numbers(work), 0.25f);
        twice.send(Protocol.TRAINED, unchanged);
        twice.send(Protocol.TRAINED, unchanged);
        try {
          // The server closes the connection of whoever repeats itself, with the round still open.
          twice.receive(MOST_BYTES);
          throw new AssertionError("the server took the same answer twice");
        } catch (IOException closed) {
          slow.send(Protocol.TRAINED, trained(0, numbers(slow.receive(MOST_BYTES)), 0.25f));
        }
        NetworkRuns.stayToTheEnd(slow);
        Run run = network.end(server);
        assertEquals(8, run.rounds().get(0).answered());
        assertEquals(1, network.logged("no answer of kind 2 for round 1 is due of it"));
      }
    }
  }

  @Test
  void ofSecureAggregationNoMoreIsTakenThanWasAskedFor() throws Exception {
    String secure = "federation.privacy={noise_multiplier: 0, secure_aggregation: {}}";
    try (NetworkRuns network = new NetworkRuns(runs, folder, EVERYBODY, FIRST_ROUND, secure)) {
      Run run =
          roundWith(
              network,
              (connection, work) -> {
                connection.send(Protocol.TRAINED, trained(0, 0, 0));
                assertEquals(Protocol.SEALED, connection.receive(MOST_BYTES).kind());
                ByteBuffer anything = ByteBuffer.allocate(12);
                connection.send(Protocol.SEALED, anything);
                connection.send(Protocol.SEALED, anything);
              });
      assertTrue(run.rounds().get(0).changeNorm() > 0, "the sum of the others");
      assertEquals(1, network.logged("it sent more of secure aggregation than it was asked for"));
    }
  }

  @Test
  void anAnswerToAnotherRoundIsLeftOut() throws Exception {
    String expected = withoutIt();
    try (NetworkRuns network = network(100)) {
      Run run =
          roundWith(
              network,
              (connection, work) ->
                  connection.send(Protocol.TRAINED, trained(3, numbers(work), 0)));
      assertEquals(expected, run.hash());
      assertEquals(1, network.logged("no answer of kind 2 for round 4 is due of it"));
    }
  }

  @Test
  void aClientThatStopsInTheMiddleOfAMessageDelaysARoundToItsDeadlineAtMost() throws Exception {
    String expected = withoutIt();
    try (NetworkRuns network = network(5)) {
      long begin = System.nanoTime();
      Run run =
          roundWith(
              network,
              (connection, work) -> {
                ByteBuffer whole = trained(0, numbers(work), 0);
                RawBytes.sendBeginning(connection, Protocol.TRAINED, whole, whole.limit() / 2);
              });
      assertEquals(expected, run.hash());
      assertTrue(run.rounds().get(0).seconds() >= 4.9, run.rounds().toString());
      assertTrue(System.nanoTime() - begin < 60e9);
      assertEquals(1, network.logged("client 7 has not answered within 5.0 s"));
      assertEquals(1, network.logged("it stopped in the middle of a message"));
    }
  }

  @Test
  void tenThousandStreamsOfAnythingCostALineEach() throws Exception {
    String expected = withoutIt();
    int streams = 10_000;
    try (NetworkRuns network = network(150)) {
      network.keepOffTheConsole();
      Run run =
          roundWith(
              network,
              (connection, work) -> {
                Random random = new Random(11);
                for (int i = 0; i < streams; i++) {
                  sendGarbage(network, random);
                }
                network.awaitLogged("Connection of ", streams);
                connection.send(Protocol.TRAINED, trained(0, 1, 0));
              });
      assertEquals(expected, run.hash());
      assertEquals(streams, network.logged("Connection of "));
    }
  }

  private static void sendGarbage(NetworkRuns network, Random random) {
    byte[] bytes = new byte[random.nextInt(200)];
    random.nextBytes(bytes);
    try (Socket socket = new Socket(network.address().getAddress(), network.address().getPort())) {
      socket.getOutputStream().write(bytes);
    } catch (IOException closedByServer) {
      // As it should.
    }
  }
}
