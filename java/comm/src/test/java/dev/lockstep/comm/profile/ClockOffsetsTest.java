package dev.lockstep.comm.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.testing.RankThreads;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
class ClockOffsetsTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void clocksThatDifferAreFoundOut() throws Exception {
    List<ClockOffsets> offsets =
        RankThreads.run(
            3,
            ranks ->
                ClockOffsets.measure(
                    ranks, () -> System.nanoTime() + ranks.rank() * 1000 * SECOND));
    for (int rank = 0; rank < 3; rank++) {
      // Far more than half a round trip between threads, and far less than what clocks differ.
      assertEquals(rank * 1000 * SECOND, offsets.get(0).offsetNanos()[rank], SECOND);
    }
  }

  @Test
  void timesBetweenTwoMeasurementsFollowTheDrift() {
    // Rank 1 began 5 s ahead and gains a tenth of a second in ten.
    ClockOffsets first = new ClockOffsets(new long[] {0, 0}, new long[] {0, 5 * SECOND});
    ClockOffsets last =
        new ClockOffsets(new long[] {0, 10 * SECOND}, new long[] {0, 5 * SECOND + SECOND / 10});
    assertEquals(0, ClockOffsets.onRankZero(first, last, 1, 5 * SECOND));
    assertEquals(
        10 * SECOND,
        ClockOffsets.onRankZero(first, last, 1, 15 * SECOND + SECOND / 10),
        SECOND / 100);
    assertEquals(7 * SECOND, ClockOffsets.onRankZero(first, last, 0, 7 * SECOND));
  }
}
