package dev.lockstep.federated.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class ClientConnectionsTest {
  private static final byte[] SECRET = new byte[] {3, 1, 4, 1, 5};
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final List<Integer> received = new ArrayList<>();
  private ClientConnections connections;

  @BeforeEach
  void listen() throws Exception {
    ClientHandler admitsAll =
        new ClientHandler() {
          @Override
          public byte[] admit(int client, ByteBuffer hello) {
            return new byte[0];
          }

          @Override
          public void joined(int client) {}

          @Override
          public void received(int client, Frame message) {
            received.add(message.kind());
          }
        };
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    connections = new ClientConnections(any, SECRET, 1 << 20, admitsAll);
  }

  @AfterEach
  void close() {
    connections.close();
  }

  private CompletableFuture<ServerConnection> join(int client, byte[] token) throws Exception {
    return join(client, token, connections.address());
  }

  private CompletableFuture<ServerConnection> join(
      int client, byte[] token, InetSocketAddress address) throws Exception {
    CompletableFuture<ServerConnection> joining = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                joining.complete(
                    ServerConnection.join(address, token, client, new byte[0], PATIENCE, PATIENCE));
              } catch (Exception e) {
                joining.completeExceptionally(e);
              }
            });
    thread.setDaemon(true);
    thread.start();
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!joining.isDone() && System.nanoTime() < end) {
      connections.poll(Duration.ofMillis(5));
    }
    return joining;
  }

  /** Whoever has a client's token is that client, and nobody else. */
  @Test
  void aClientCannotTakeTheNumberOfAnother() throws Exception {
    byte[] third = ClientToken.of(SECRET, 3);
    join(3, third).get(60, TimeUnit.SECONDS).close();
    CompletableFuture<ServerConnection> asFour = join(4, third);
    ExecutionException e = assertThrows(ExecutionException.class, asFour::get);
    assertTrue(e.getCause() instanceof UnprovedRefusalException, e.toString());
    assertFalse(connections.present().contains(4));
  }

  /** Not even another client that listens at the server's address. */
  @Test
  void aClientRefusesAServerThatKnowsOnlyAnothersToken() throws Exception {
    try (ServerSocket pretender = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread thread = new Thread(() -> pretend(pretender, ClientToken.of(SECRET, 4)));
      thread.setDaemon(true);
      thread.start();
      InetSocketAddress address =
          new InetSocketAddress(pretender.getInetAddress(), pretender.getLocalPort());
      byte[] third = ClientToken.of(SECRET, 3);
      UnprovedRefusalException e =
          assertThrows(
              UnprovedRefusalException.class,
              () -> ServerConnection.join(address, third, 3, new byte[0], PATIENCE, PATIENCE));
      assertEquals("the server does not know the token", e.getMessage());
    }
  }

  /** A refusal is the server's if it has the server's seal; whoever is on the way has none. */
  @ParameterizedTest
  @ValueSource(ints = {Handshake.REFUSED, Handshake.UNPROVED})
  void aClientDoesNotTakeARefusalThatAnotherMadeForTheServers(int kind) throws Exception {
    try (ServerSocket pretender = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread thread = new Thread(() -> pretend(pretender, new byte[] {2, 7}, kind));
      thread.setDaemon(true);
      thread.start();
      InetSocketAddress address =
          new InetSocketAddress(pretender.getInetAddress(), pretender.getLocalPort());
      byte[] third = ClientToken.of(SECRET, 3);
      assertThrows(
          UnprovedRefusalException.class,
          () -> ServerConnection.join(address, third, 3, new byte[0], PATIENCE, PATIENCE));
    }
  }

  /** Greets as a server does, and proves a token that it has. */
  private static void pretend(ServerSocket socket, byte[] token) {
    pretend(socket, token, Handshake.WELCOME);
  }

  private static void pretend(ServerSocket socket, byte[] token, int kind) {
    try (Socket client = socket.accept()) {
      byte[] challenge = Handshake.nonce();
      ByteBuffer greeting = ByteBuffer.allocate(Handshake.CHALLENGE);
      client.getOutputStream().write(greeting.putLong(Handshake.MAGIC).put(challenge).array());
      DataInputStream in = new DataInputStream(client.getInputStream());
      byte[] hello = new byte[in.readInt()];
      in.readByte();
      in.readFully(hello);
      byte[] nonce = Arrays.copyOfRange(hello, Long.BYTES, Long.BYTES + Handshake.NONCE);
      ByteBuffer header = Frame.header(kind);
      client.getOutputStream().write(header.array());
      client.getOutputStream().write(Seal.ofServer(token, challenge, nonce).next(header).array());
      in.read();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void tokensAreOfTheirClientsAndSecretsAlone() {
    assertEquals(64, ClientToken.of(SECRET, 0).length);
    assertFalse(Arrays.equals(ClientToken.of(SECRET, 1), ClientToken.of(SECRET, 2)));
    assertArrayEquals(ClientToken.of(SECRET, 1), ClientToken.of(SECRET.clone(), 1));
  }

  /** Much more than a socket's buffer holds goes out in pieces, as the client takes it. */
  @Test
  void aLongMessageArrivesWholeAtAClientThatTakesItSlowly() throws Exception {
    byte[] sent = new byte[(24 << 20) + 7];
    new Random(1).nextBytes(sent);
    try (ServerConnection client = join(0, ClientToken.of(SECRET, 0)).get(60, TimeUnit.SECONDS)) {
      assertTrue(connections.send(0, 9, ByteBuffer.wrap(sent)));
      assertTrue(connections.isBehind());
      CompletableFuture<Frame> receiving = new CompletableFuture<>();
      Thread reader =
          new Thread(
              () -> {
                try {
                  receiving.complete(client.receive(sent.length));
                } catch (Exception e) {
                  receiving.completeExceptionally(e);
                }
              });
      reader.setDaemon(true);
      reader.start();
      while (!receiving.isDone()) {
        connections.poll(Duration.ofMillis(5));
      }
      byte[] received = new byte[sent.length];
      receiving.get(60, TimeUnit.SECONDS).body().get(received);
      assertArrayEquals(sent, received);
      assertFalse(connections.isBehind());
    }
  }

  /** Polls until something holds. */
  private void pollUntil(BooleanSupplier holds) throws Exception {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!holds.getAsBoolean() && System.nanoTime() < end) {
      connections.poll(Duration.ofMillis(5));
    }
    assertTrue(holds.getAsBoolean(), "received " + received);
  }

  @Test
  void aMessageThatWasChangedOnItsWayIsNotTaken() throws Exception {
    try (Relay relay = new Relay(connections.address());
        ServerConnection client =
            join(0, ClientToken.of(SECRET, 0), relay.address()).get(60, TimeUnit.SECONDS)) {
      client.send(1, ByteBuffer.allocate(3));
      pollUntil(() -> received.equals(List.of(1)));
      relay.toServer().flipABit();
      client.send(2);
      pollUntil(() -> connections.present().isEmpty());
      assertEquals(List.of(1), received);
    }
  }

  @Test
  void aMessageThatIsSentAgainByAnotherIsNotTaken() throws Exception {
    try (Relay relay = new Relay(connections.address());
        ServerConnection client =
            join(0, ClientToken.of(SECRET, 0), relay.address()).get(60, TimeUnit.SECONDS)) {
      relay.toServer().repeat(Frame.HEADER + 3 + Seal.BYTES);
      client.send(1, ByteBuffer.allocate(3));
      pollUntil(() -> connections.present().isEmpty());
      assertEquals(List.of(1), received);
    }
  }

  /** Otherwise whoever is on the wire could end a federation with a model of his own. */
  @Test
  void aClientDoesNotTakeWhatAnotherMadeOfTheServersMessage() throws Exception {
    try (Relay relay = new Relay(connections.address());
        ServerConnection client =
            join(0, ClientToken.of(SECRET, 0), relay.address()).get(60, TimeUnit.SECONDS)) {
      relay.toClient().repeat(Frame.HEADER + 3 + Seal.BYTES);
      assertTrue(connections.send(0, 4, ByteBuffer.wrap(new byte[] {1, 2, 3})));
      assertEquals(4, client.receive(3).kind());
      IOException repeated = assertThrows(IOException.class, () -> client.receive(3));
      assertEquals("a message was changed, repeated or left out on its way", repeated.getMessage());
    }
    try (Relay relay = new Relay(connections.address());
        ServerConnection client =
            join(0, ClientToken.of(SECRET, 0), relay.address()).get(60, TimeUnit.SECONDS)) {
      relay.toClient().flipABit(); // of the length
      assertTrue(connections.send(0, 4, ByteBuffer.wrap(new byte[] {1, 2, 3})));
      IOException changed = assertThrows(IOException.class, () -> client.receive(3));
      assertFalse(changed instanceof ProtocolException, "it is not the server's fault");
    }
  }

  @Test
  void aClientThatHearsNothingGivesUpAfterItsTimeOfSilence() throws Exception {
    InetSocketAddress address = connections.address();
    CompletableFuture<IOException> given = new CompletableFuture<>();
    Thread waits =
        new Thread(
            () -> {
              Duration silence = Duration.ofMillis(100);
              byte[] token = ClientToken.of(SECRET, 0);
              try (ServerConnection client =
                  ServerConnection.join(address, token, 0, new byte[0], PATIENCE, silence)) {
                client.receive(1);
              } catch (IOException e) {
                given.complete(e);
              }
            });
    waits.setDaemon(true);
    waits.start();
    pollUntil(() -> !connections.present().isEmpty());
    assertEquals("the server says nothing", given.get(60, TimeUnit.SECONDS).getMessage());
  }

  @Test
  void aClientThatTakesNothingIsDroppedBeforeItsMessagesFillTheMemory() throws Exception {
    ByteBuffer message = ByteBuffer.allocate(8 << 20);
    try (ServerConnection client = join(0, ClientToken.of(SECRET, 0)).get(60, TimeUnit.SECONDS)) {
      int taken = 0;
      while (taken < 100 && connections.send(0, 9, message.duplicate())) {
        taken++;
      }
      assertTrue(taken < 20, taken + " messages wait");
      assertEquals(List.of(), connections.present());
    }
  }
}
