package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankThreads;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every verb as Java callers see it, over ranks as threads; the native tests cover types, sizes and
 * algorithms.
 */
@Timeout(120)
public class CommunicatorTest {
  /** Subclasses run the same tests over another backend. */
  protected <T> List<T> run(int size, RankThreads.RankBody<T> body) throws Exception {
    return RankThreads.run(size, body);
  }

  private static FloatBuffer floats(float... values) {
    return ByteBuffer.allocateDirect(4 * values.length)
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer()
        .put(values)
        .flip();
  }

  private static float[] array(FloatBuffer buffer) {
    float[] values = new float[buffer.limit()];
    buffer.get(0, values);
    return values;
  }

  @Test
  void aGroupOfOneAnswersEveryVerb() {
    try (Communicator one = Communicator.single()) {
      assertArrayEquals(new double[] {1, 2}, one.allReduce(new double[] {1, 2}, ReduceOp.SUM));
      FloatBuffer output = floats(0, 0);
      one.allToAll(Span.of(floats(3, 4)), Span.of(output));
      assertArrayEquals(new float[] {3, 4}, array(output));
      one.scatter(Span.of(floats(5, 6)), Span.of(output), 0);
      assertArrayEquals(new float[] {5, 6}, array(output));
      one.reduceScatter(Span.of(floats(7, 8)), Span.of(output), ReduceOp.AVERAGE);
      assertArrayEquals(new float[] {7, 8}, array(output));
      one.barrier();
      assertEquals(Backend.SINGLE, one.backend());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void arraysAreReducedAndGathered(int size) throws Exception {
    List<double[]> results =
        run(
            size,
            ranks -> {
              int r = ranks.rank();
              assertArrayEquals(new long[] {size}, ranks.allReduce(new long[] {1}, ReduceOp.SUM));
              assertArrayEquals(new int[] {size - 1}, ranks.allReduce(new int[] {r}, ReduceOp.MAX));
              assertArrayEquals(
                  new float[] {(size - 1) / 2f},
                  ranks.allReduce(new float[] {r}, ReduceOp.AVERAGE));
              assertArrayEquals(
                  new byte[] {9, 8}, ranks.broadcast(r == 0 ? new byte[] {9, 8} : new byte[5], 0));
              byte[][] uneven = ranks.allGather(new byte[r]);
              assertEquals(size - 1, uneven[size - 1].length);
              return ranks.allGather(new double[] {r, 10 * r});
            });
    for (double[] result : results) {
      assertEquals(2 * size, result.length);
      assertEquals(10 * (size - 1), result[2 * size - 1]);
    }
  }

  @Test
  void spansAreScatteredGatheredAndReduced() throws Exception {
    run(
        3,
        ranks -> {
          int r = ranks.rank();
          boolean root = r == 1;
          FloatBuffer part = floats(0, 0);
          Span whole = root ? Span.of(floats(0, 1, 2, 3, 4, 5)) : Span.empty();
          ranks.scatter(whole, Span.of(part), 1);
          assertArrayEquals(new float[] {2 * r, 2 * r + 1}, array(part));

          FloatBuffer gathered = floats(new float[6]);
          ranks.gather(Span.of(part), root ? Span.of(gathered) : Span.empty(), 1);
          assertArrayEquals(root ? new float[] {0, 1, 2, 3, 4, 5} : new float[6], array(gathered));

          FloatBuffer sum = floats(0, 0);
          ranks.reduce(Span.of(part), root ? Span.of(sum) : Span.empty(), ReduceOp.SUM, 1);
          assertArrayEquals(root ? new float[] {6, 9} : new float[2], array(sum));

          FloatBuffer mine = floats(0);
          ranks.reduceScatter(Span.of(floats(r, 10 + r, 20 + r)), Span.of(mine), ReduceOp.SUM);
          assertArrayEquals(new float[] {30 * r + 3}, array(mine));

          FloatBuffer swapped = floats(0, 0, 0);
          ranks.allToAll(Span.of(floats(r, r + 10, r + 20)), Span.of(swapped));
          assertArrayEquals(new float[] {10 * r, 10 * r + 1, 10 * r + 2}, array(swapped));
          return null;
        });
  }

  @Test
  void unevenPartsFollowTheirCounts() throws Exception {
    long[] counts = {2, 0, 1};
    run(
        3,
        ranks -> {
          int r = ranks.rank();
          FloatBuffer part = floats(new float[(int) counts[r]]);
          Span whole = r == 0 ? Span.of(floats(1, 2, 3)) : Span.empty();
          ranks.scatter(whole, Span.of(part), counts, 0);
          FloatBuffer all = floats(new float[3]);
          ranks.allGather(Span.of(part), Span.of(all), counts);
          assertArrayEquals(new float[] {1, 2, 3}, array(all));
          FloatBuffer atRoot = floats(new float[3]);
          ranks.gather(Span.of(part), r == 2 ? Span.of(atRoot) : Span.empty(), counts, 2);
          assertArrayEquals(r == 2 ? new float[] {1, 2, 3} : new float[3], array(atRoot));
          ranks.reduceScatter(Span.of(all), Span.of(part), counts, ReduceOp.SUM);
          assertArrayEquals(
              r == 0 ? new float[] {3, 6} : r == 1 ? new float[0] : new float[] {9}, array(part));
          return null;
        });
  }

  @Test
  void messagesAreMatchedBySourceAndTag() throws Exception {
    run(
        3,
        ranks -> {
          if (ranks.rank() == 0) {
            FloatBuffer late = floats(0);
            FloatBuffer early = floats(0);
            ranks.receive(Span.of(late), 1, 2);
            ranks.receive(Span.of(early), 1, 1);
            assertArrayEquals(new float[] {12}, array(late));
            assertArrayEquals(new float[] {11}, array(early));
            FloatBuffer any = floats(0);
            assertEquals(2, ranks.receive(Span.of(any), Communicator.ANY_RANK, 7));
          } else if (ranks.rank() == 1) {
            ranks.send(Span.of(floats(11)), 0, 1);
            ranks.send(Span.of(floats(12)), 0, 2);
          } else {
            ranks.send(Span.of(floats(20)), 0, 7);
          }
          return null;
        });
  }

  @Test
  void startedOperationsRunInOrder() throws Exception {
    run(
        2,
        ranks -> {
          FloatBuffer values = floats(1 + ranks.rank());
          Work first = ranks.allReduceAsync(Span.of(values), ReduceOp.SUM);
          Work second = ranks.allReduceAsync(Span.of(values), ReduceOp.SUM);
          second.await();
          assertTrue(first.isDone());
          first.await();
          first.await();
          assertEquals(6f, values.get(0));
          return null;
        });
  }

  @Test
  void aSplitGroupIsOrderedByKeyAndOutlivesItsParent() throws Exception {
    run(
        3,
        ranks -> {
          Communicator child = ranks.split(ranks.rank() == 1 ? 1 : 0, -ranks.rank());
          ranks.close();
          try (child) {
            assertEquals(ranks.rank() == 1 ? 1 : 2, child.size());
            assertEquals(ranks.rank() == 0 ? 1 : 0, child.rank());
            child.barrier();
          }
          return null;
        });
  }

  @Test
  void disagreementShowsBothSides() throws Exception {
    run(
        2,
        ranks -> {
          double[] values = new double[ranks.rank() == 0 ? 3 : 4];
          CollectiveMismatchException e =
              assertThrows(
                  CollectiveMismatchException.class, () -> ranks.allReduce(values, ReduceOp.SUM));
          assertTrue(e.getMessage().contains("3 f64"), e.getMessage());
          assertTrue(e.getMessage().contains("4 f64"), e.getMessage());
          CommunicatorClosedException after =
              assertThrows(CommunicatorClosedException.class, ranks::barrier);
          assertTrue(after.getMessage().contains("4 f64"), after.getMessage());
          return null;
        });
  }

  @Test
  void aSilentRankIsNamedAtTheDeadline() throws Exception {
    run(
        2,
        ranks -> {
          if (ranks.rank() == 0) {
            ranks.setTimeout(0.2);
            CommunicationException e =
                assertThrows(CollectiveTimeoutException.class, ranks::barrier);
            assertEquals(1, e.rank());
            assertTrue(e.getMessage().contains("barrier"), e.getMessage());
          } else {
            FloatBuffer never = floats(0);
            CommunicationException e =
                assertThrows(
                    CommunicationException.class, () -> ranks.receive(Span.of(never), 0, 1));
            assertTrue(e.getMessage().contains("Rank 0"), e.getMessage());
          }
          return null;
        });
  }

  @Test
  void wrongArgumentsAreRefusedAndTheGroupGoesOn() throws Exception {
    run(
        2,
        ranks -> {
          assertThrows(IllegalArgumentException.class, () -> ranks.send(Span.of(floats(1)), 2, 0));
          assertThrows(
              IllegalArgumentException.class,
              () -> ranks.send(Span.of(floats(1)), ranks.rank(), 0));
          assertThrows(
              IllegalArgumentException.class,
              () -> ranks.allReduce(Span.of(floats(1, 2)), Span.of(floats(0)), ReduceOp.SUM));
          assertThrows(
              IllegalArgumentException.class, () -> ranks.broadcast(Span.of(floats(1)), 5));
          FloatBuffer shared = floats(1, 2, 3, 4);
          Span span = Span.of(shared);
          assertThrows(
              IllegalArgumentException.class,
              () -> ranks.allReduce(span.slice(0, 3), span.slice(1, 3), ReduceOp.SUM));
          assertThrows(IllegalArgumentException.class, () -> ranks.split(-1, 0));
          ranks.barrier();
          return null;
        });
  }

  @Test
  void closingIsIdempotentAndUseAfterCloseIsAnException() {
    Communicator one = Communicator.single();
    one.close();
    one.close();
    assertThrows(CommunicatorClosedException.class, one::barrier);
  }
}
