package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankProcesses;
import dev.lockstep.testing.RankThreads;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages beside the collectives, from Java. */
@Timeout(120)
class ChannelTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int LONG = 1 << 18; // 1 MiB of floats

  @TempDir Path folder;

  private static FloatBuffer floats(int count, float first) {
    FloatBuffer buffer =
        ByteBuffer.allocateDirect(count * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    for (int i = 0; i < count; i++) {
      buffer.put(i, first + i);
    }
    return buffer;
  }

  private static float[] array(FloatBuffer buffer) {
    float[] values = new float[buffer.capacity()];
    buffer.get(0, values);
    return values;
  }

  /** The textbook exchange, a ring of 1F1B neighbours, and sends before receives. */
  static final class ExchangingRank {
    public static void main(String[] arguments) throws Exception {
      CommunicatorConfig config =
          new CommunicatorConfig(CommunicatorConfig.Choice.valueOf(arguments[0]), 20.0);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        int next = (ranks.rank() + 1) % ranks.size();
        int previous = (ranks.rank() + ranks.size() - 1) % ranks.size();
        FloatBuffer own = floats(LONG, ranks.rank());
        FloatBuffer theirs = floats(LONG, -1);
        Work receive = ranks.receiveAsync(Span.of(theirs), previous, 1);
        Work send = ranks.sendAsync(Span.of(own), next, 1);
        ranks.barrier();
        receive.await();
        send.await();
        assertArrayEquals(array(floats(LONG, previous)), array(theirs));

        FloatBuffer again = floats(LONG, -1);
        ranks.send(Span.of(own), next, 2);
        ranks.receive(Span.of(again), previous, 2);
        assertArrayEquals(array(floats(LONG, previous)), array(again));

        FloatBuffer third = floats(256, -1);
        ranks.exchange(
            List.of(
                Transfer.send(Span.of(floats(256, ranks.rank())), next, 3),
                Transfer.receive(Span.of(third), previous, 3)));
        assertArrayEquals(array(floats(256, previous)), array(third));
        System.out.println("exchanged");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TCP", "SHARED_MEMORY"})
  void ranksMayReceiveOrSendFirst(String choice) throws Exception {
    try (RankProcesses ranks = RankProcesses.start(folder, 3, ExchangingRank.class, choice)) {
      ranks.awaitSuccess(LIMIT);
    }
  }

  /** Rank 2 is killed; the others hear of it and go on between themselves. */
  static final class SurvivingRank {
    public static void main(String[] arguments) throws Exception {
      CommunicatorConfig config =
          new CommunicatorConfig(CommunicatorConfig.Choice.valueOf(arguments[0]), 20.0);
      Communicator ranks = Communicator.fromEnvironment(config);
      ranks.barrier();
      System.out.println("ready");
      FloatBuffer never = floats(1, 0);
      if (ranks.rank() == 2) {
        ranks.channel(Communicator.ANY_RANK, 9).await(LIMIT);
        return;
      }
      Work lost = ranks.channel(2, 1).receive(Span.of(never));
      PeerFailedException death = assertThrows(PeerFailedException.class, lost::await);
      assertEquals(2, death.rank());
      int peer = 1 - ranks.rank();
      FloatBuffer theirs = floats(8, -1);
      ranks.exchange(
          List.of(
              Transfer.receive(Span.of(theirs), peer, 2),
              Transfer.send(Span.of(floats(8, ranks.rank())), peer, 2)));
      assertArrayEquals(array(floats(8, peer)), array(theirs));
      System.out.println("survived");
      ranks.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TCP", "SHARED_MEMORY"})
  void aKilledRankEndsItsOwnMessagesOnly(String choice) throws Exception {
    try (RankProcesses ranks = RankProcesses.start(folder, 3, SurvivingRank.class, choice)) {
      for (int rank = 0; rank < 3; rank++) {
        ranks.awaitOutput(rank, "ready", LIMIT);
      }
      ranks.process(2).destroyForcibly();
      for (int survivor : new int[] {0, 1}) {
        assertEquals(0, ranks.await(survivor, LIMIT), ranks.output(survivor));
        assertTrue(ranks.output(survivor).contains("survived"), ranks.output(survivor));
      }
    }
  }

  @Test
  void aWaitThatRunsOutIsAResultAndTheMessageGoesOn() throws Exception {
    RankThreads.run(
        2,
        ranks -> {
          FloatBuffer data = floats(3, 5);
          if (ranks.rank() == 1) {
            ranks.barrier();
            ranks.channel(0, 4).send(Span.of(data)).await();
          } else {
            FloatBuffer into = floats(3, 0);
            Work receive = ranks.channel(1, 4).receive(Span.of(into));
            assertFalse(receive.await(Duration.ofMillis(20)));
            ranks.setTimeout(0.02);
            CollectiveTimeoutException timeout =
                assertThrows(CollectiveTimeoutException.class, receive::await);
            assertEquals(1, timeout.rank());
            ranks.setTimeout(30);
            ranks.barrier();
            assertTrue(receive.await(LIMIT));
            assertEquals(3, receive.count());
            assertArrayEquals(array(data), array(into));
          }
          ranks.barrier();
          return null;
        });
  }

  @Test
  void lengthAndSourceAreKnownBeforeTheReceive() throws Exception {
    RankThreads.run(
        2,
        ranks -> {
          if (ranks.rank() == 1) {
            ranks.channel(0, 4).send(Span.of(floats(7, 1))).await();
          } else {
            Channel any = ranks.channel(Communicator.ANY_RANK, 4);
            Incoming incoming = any.await(LIMIT).orElseThrow();
            assertEquals(new Incoming(1, DataType.F32, 7), incoming);
            assertEquals(incoming, any.poll().orElseThrow());
            Work receive = any.receiveUpTo(Span.of(floats(100, 0)));
            assertEquals(1, receive.await());
            assertEquals(7, receive.count());
            assertTrue(any.poll().isEmpty());
          }
          ranks.barrier();
          return null;
        });
  }

  @Test
  void completionsComeForMessagesAndCollectivesWhileNobodyWaits() throws Exception {
    RankThreads.run(
        2,
        ranks -> {
          FloatBuffer into = floats(LONG, 0);
          int peer = 1 - ranks.rank();
          var receive = ranks.channel(peer, 1).receive(Span.of(into)).completion();
          var sum = ranks.allReduceAsync(Span.of(floats(4, 1)), ReduceOp.SUM).completion();
          Work send = ranks.channel(peer, 1).send(Span.of(floats(LONG, ranks.rank())));
          assertEquals(peer, receive.toCompletableFuture().get(60, TimeUnit.SECONDS));
          assertEquals(0, sum.toCompletableFuture().get(60, TimeUnit.SECONDS));
          assertArrayEquals(array(floats(LONG, peer)), array(into));
          send.await();
          ranks.barrier();
          return null;
        });
  }

  @Test
  void closingEndsACompletionWithItsError() throws Exception {
    RankThreads.run(
        2,
        ranks -> {
          var never =
              ranks.channel(1 - ranks.rank(), 1).receive(Span.of(floats(1, 0))).completion();
          ranks.barrier();
          ranks.close();
          CompletionException thrown =
              assertThrows(
                  CompletionException.class,
                  () -> never.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join());
          assertInstanceOf(CommunicationException.class, thrown.getCause());
          return null;
        });
  }

  @Test
  void aCancelledReceiveLeavesItsMessageToTheNext() throws Exception {
    RankThreads.run(
        2,
        ranks -> {
          if (ranks.rank() == 0) {
            FloatBuffer first = floats(2, 0);
            Work receive = ranks.channel(1, 1).receive(Span.of(first));
            assertTrue(receive.cancel());
            assertThrows(CommunicatorClosedException.class, receive::await);
            ranks.barrier();
            FloatBuffer second = floats(2, 0);
            ranks.channel(1, 1).receive(Span.of(second)).await();
            assertArrayEquals(array(floats(2, 8)), array(second));
            assertArrayEquals(array(floats(2, 0)), array(first));
          } else {
            ranks.barrier();
            ranks.channel(0, 1).send(Span.of(floats(2, 8))).await();
          }
          ranks.barrier();
          return null;
        });
  }

  @Test
  void rankZeroKnowsItsPortBeforeTheOthersAreToldAndSurvivorsShrink() throws Exception {
    CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.TCP, 20.0);
    try (RendezvousPort port = Communicator.listen("127.0.0.1", 0)) {
      RankThreads.run(
          3,
          (group, rank, size) ->
              rank == 0
                  ? port.join(size, "secret", 20, config)
                  : Communicator.join(
                      new TcpOptions(rank, size, "127.0.0.1", port.port(), "secret", 20), config),
          ranks -> {
            if (ranks.rank() == 1) {
              ranks.splitNone();
              return null;
            }
            try (Communicator pair = ranks.split(0, 0)) {
              assertEquals(2, pair.size());
            }
            assertThrows(PeerFailedException.class, ranks::barrier);
            try (Communicator next = ranks.shrink(0, 2)) {
              assertEquals(1, next.generation());
              assertEquals(2.0, next.allReduce(new double[] {1}, ReduceOp.SUM)[0]);
            }
            return null;
          });
    }
  }

  @Test
  void anAverageWeighsRanksAndUnevenGathersRunInTheBackground() throws Exception {
    RankThreads.run(
        3,
        ranks -> {
          FloatBuffer data = floats(2, ranks.rank());
          ranks.weightedAverage(Span.of(data), ranks.rank()); // weights 0, 1, 2 of 0, 1, 2
          assertArrayEquals(new float[] {5 / 3f, 8 / 3f}, array(data), 1e-6f);
          assertThrows(
              IllegalArgumentException.class, () -> ranks.weightedAverage(Span.of(data), 0));

          long[] counts = {1, 2, 3};
          FloatBuffer all = floats(6, -1);
          Span own = Span.of(floats(ranks.rank() + 1, 10 * ranks.rank()));
          ranks.allGatherAsync(own, Span.of(all), counts).await();
          assertArrayEquals(new float[] {0, 10, 11, 20, 21, 22}, array(all));
          return null;
        });
  }

  @Test
  void aSpanOfClosedMemoryIsRefusedByBlockingCallsToo() throws Exception {
    try (Communicator single = Communicator.single()) {
      NativeMemory memory = single.allocate(16);
      Span stale = memory.span(0, 4, DataType.F32);
      memory.close();
      assertThrows(IllegalStateException.class, () -> single.allReduce(stale, ReduceOp.SUM));
    }
  }
}
