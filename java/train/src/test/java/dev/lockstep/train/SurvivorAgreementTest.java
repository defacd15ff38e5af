package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.testing.RankThreads;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is gone, by those who are left. */
@Timeout(120)
class SurvivorAgreementTest {
  /**
   * Ranks 1, 3 and 4 are gone; rank 0 knows of the first, rank 2 of the second, nobody of the
   * third.
   */
  @Test
  void thoseWhoKnowOfDifferentRanksEndWithAllThatAreGone() throws Exception {
    CountDownLatch left = new CountDownLatch(3);
    List<BitSet> agreed =
        RankThreads.run(
            6,
            group -> {
              BitSet known = new BitSet();
              if (List.of(1, 3, 4).contains(group.rank())) {
                group.close();
                left.countDown();
                return known;
              }
              left.await(30, TimeUnit.SECONDS);
              if (group.rank() != 5) {
                known.set(group.rank() + 1);
              }
              return SurvivorAgreement.agree(group, known);
            });
    BitSet expected = BitSet.valueOf(new long[] {0b11010});
    for (int rank : new int[] {0, 2, 5}) {
      assertEquals(expected, agreed.get(rank), "rank " + rank);
    }
  }

  @Test
  void thoseWhoKnowTheSameNeedOneRound() throws Exception {
    for (BitSet agreed :
        RankThreads.run(3, group -> SurvivorAgreement.agree(group, new BitSet()))) {
      assertEquals(new BitSet(), agreed);
    }
  }
}
