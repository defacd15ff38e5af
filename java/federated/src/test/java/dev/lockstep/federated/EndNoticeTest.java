package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.lockstep.federated.network.ClientConnections;
import dev.lockstep.federated.network.ClientHandler;
import dev.lockstep.federated.network.ClientToken;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.RawBytes;
import dev.lockstep.federated.network.ServerConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** For how long clients that do not know of the end are waited for, by a clock of the test. */
@Timeout(120)
class EndNoticeTest {
  private static final byte[] SECRET = new byte[] {3, 1, 4, 1, 5};
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration DEADLINE = Duration.ofSeconds(20);

  private final List<Integer> received = new ArrayList<>();
  private ClientConnections connections;
  private EndNotice notice;
  private long seconds;

  @BeforeEach
  void listen() throws Exception {
    ClientHandler handler =
        new ClientHandler() {
          @Override
          public byte[] admit(int client, ByteBuffer hello) {
            return new byte[0];
          }

          @Override
          public void joined(int client) {}

          @Override
          public void received(int client, Frame message) {
            received.add(client);
          }
        };
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    connections = new ClientConnections(any, SECRET, 1 << 20, handler);
    notice = new EndNotice(connections, () -> seconds * 1_000_000_000L);
  }

  @AfterEach
  void close() {
    connections.close();
  }

  private ServerConnection join(int client) throws Exception {
    InetSocketAddress address = connections.address();
    CompletableFuture<ServerConnection> joining =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return ServerConnection.join(
                    address, ClientToken.of(SECRET, client), client, new byte[0], LIMIT, LIMIT);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    while (!joining.isDone()) {
      poll();
    }
    ServerConnection joined = joining.get(60, TimeUnit.SECONDS);
    while (!connections.present().contains(client)) {
      poll();
    }
    notice.isFor(client);
    return joined;
  }

  private void poll() {
    try {
      connections.poll(Duration.ofMillis(1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Tells the end; a second passes at each poll, before which something may happen. */
  private void tell(Runnable beforeEachSecond) {
    notice.send(
        ByteBuffer.allocate(8),
        DEADLINE,
        () -> false,
        () -> {
          beforeEachSecond.run();
          poll();
          seconds++;
        });
  }

  @Test
  void oneThatIsConnectedAndSaysNothingIsWaitedForUntilTheDeadline() throws Exception {
    try (ServerConnection silent = join(0)) {
      tell(() -> {});
      assertEquals(DEADLINE.toSeconds(), seconds);
      assertTrue(connections.present().contains(0), "it stays connected");
    }
  }

  /** Whoever wants no deadline gives one of years. */
  @Test
  void aDeadlineOfYearsIsNotTooLongToCountWith() {
    notice.send(
        ByteBuffer.allocate(8),
        Duration.ofNanos(Long.MAX_VALUE),
        () -> false,
        () -> fail("nobody is waited for"));
    assertTrue(notice.isSent());
  }

  @Test
  void oneThatLeavesLateHasAsLongToComeBackAsOneThatLeavesAtOnce() throws Exception {
    ServerConnection client = join(0);
    tell(
        () -> {
          if (seconds == 10) {
            client.close();
            while (!connections.present().isEmpty()) {
              poll();
            }
          }
        });
    assertEquals(17, seconds, "10 until it leaves, the second of the poll, and 6");
  }

  /** Its pieces come more slowly than one deadline for all of them allows. */
  @Test
  void oneWhoseMessageStillComesIsWaitedForFromItsLastPiece() throws Exception {
    try (ServerConnection client = join(0)) {
      sendAPieceEvery(15, 45, client);
      assertEquals(45 + 1 + DEADLINE.toSeconds(), seconds, "the second of the poll included");
    }
  }

  @Test
  void oneThatNeverEndsItsMessageIsWaitedForTenDeadlinesAtMost() throws Exception {
    try (ServerConnection client = join(0)) {
      sendAPieceEvery(5, Integer.MAX_VALUE, client);
      assertEquals(10 * DEADLINE.toSeconds(), seconds);
    }
  }

  private void sendAPieceEvery(int period, int last, ServerConnection client) throws IOException {
    RawBytes.sendBeginning(client, 1, ByteBuffer.allocate(1 << 16), 1);
    while (connections.signs(0) == 0) {
      poll();
    }
    tell(
        () -> {
          if (seconds % period != 0 || seconds == 0 || seconds > last) {
            return;
          }
          long before = connections.signs(0);
          try {
            RawBytes.send(client, ByteBuffer.allocate(1));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          while (connections.signs(0) == before) {
            poll();
          }
        });
  }
}
