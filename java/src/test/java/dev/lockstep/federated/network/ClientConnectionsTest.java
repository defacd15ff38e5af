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
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ClientConnectionsTest {
  private static final byte[] SECRET = new byte[] {3, 1, 4, 1, 5};
  private static final Duration PATIENCE = Duration.ofSeconds(60);

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
          public void received(int client, Frame message) {}
        };
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    connections = new ClientConnections(any, SECRET, 1 << 20, admitsAll);
  }

  @AfterEach
  void close() {
    connections.close();
  }

  private CompletableFuture<ServerConnection> join(int client, byte[] token) throws Exception {
    InetSocketAddress address = connections.address();
    CompletableFuture<ServerConnection> joining = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                joining.complete(
                    ServerConnection.join(address, token, client, new byte[0], PATIENCE));
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
    assertTrue(asFour.isCompletedExceptionally());
    assertFalse(connections.isConnected(4));
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
      RefusedException e =
          assertThrows(
              RefusedException.class,
              () -> ServerConnection.join(address, third, 3, new byte[0], PATIENCE));
      assertEquals("the server does not know the token", e.getMessage());
    }
  }

  /** Greets as a server does, and proves a token that it has. */
  private static void pretend(ServerSocket socket, byte[] token) {
    try (Socket client = socket.accept()) {
      byte[] challenge = Handshake.nonce();
      ByteBuffer greeting = ByteBuffer.allocate(Handshake.CHALLENGE);
      client.getOutputStream().write(greeting.putLong(Handshake.MAGIC).put(challenge).array());
      DataInputStream in = new DataInputStream(client.getInputStream());
      byte[] hello = new byte[in.readInt()];
      in.readByte();
      in.readFully(hello);
      byte[] nonce = Arrays.copyOfRange(hello, Long.BYTES, Long.BYTES + Handshake.NONCE);
      ByteBuffer proof = ByteBuffer.wrap(Handshake.serverProof(token, challenge, nonce));
      client.getOutputStream().write(Frame.header(Handshake.WELCOME, proof).array());
      client.getOutputStream().write(proof.array());
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

  @Test
  void aClientThatTakesNothingIsDroppedBeforeItsMessagesFillTheMemory() throws Exception {
    ByteBuffer message = ByteBuffer.allocate(8 << 20);
    try (ServerConnection client = join(0, ClientToken.of(SECRET, 0)).get(60, TimeUnit.SECONDS)) {
      int taken = 0;
      while (taken < 100 && connections.send(0, 9, message.duplicate())) {
        taken++;
      }
      assertTrue(taken < 20, taken + " messages wait");
      assertFalse(connections.isConnected(0));
    }
  }
}
