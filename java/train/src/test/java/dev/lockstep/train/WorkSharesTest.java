package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankThreads;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WorkSharesTest {
  private static double[] times(double[] shares, double[] speeds, double overhead) {
    double[] times = new double[shares.length];
    Arrays.setAll(times, rank -> overhead + shares[rank] / speeds[rank]);
    return times;
  }

  private static double slowest(double[] times) {
    return Arrays.stream(times).max().orElseThrow();
  }

  @Test
  void aRankOfHalfTheSpeedGetsHalfAsMuch() {
    double[] equal = {0.5, 0.5};
    double[] next = WorkShares.next(equal, times(equal, new double[] {1, 0.5}, 0));
    assertArrayEquals(new double[] {2.0 / 3, 1.0 / 3}, next, 1e-12);
  }

  /** The ideal is all samples at the joint speed. */
  @Test
  void aRankOfHalfTheSpeedCostsAtMostATenthOverTheIdealAfterTwoChanges() {
    double[] speeds = {1, 1, 1, 0.5};
    double overhead = 0.05;
    double[] shares = {0.25, 0.25, 0.25, 0.25};
    double ideal = overhead + 1 / Arrays.stream(speeds).sum();
    assertTrue(slowest(times(shares, speeds, overhead)) > 1.6 * ideal);
    for (int change = 0; change < 2; change++) {
      shares = WorkShares.next(shares, times(shares, speeds, overhead));
    }
    assertTrue(slowest(times(shares, speeds, overhead)) <= 1.1 * ideal, Arrays.toString(shares));
    assertEquals(1, Arrays.stream(shares).sum(), 1e-12);
  }

  @Test
  void partsStayWhereRanksAreNearlyEven() {
    double[] shares = {0.6, 0.4};
    assertArrayEquals(shares, WorkShares.next(shares, new double[] {1.02, 0.98}), 0);
  }

  @Test
  void noRankIsLeftWithNothing() {
    double[] next = WorkShares.next(new double[] {0.5, 0.5}, new double[] {1, 1e6});
    assertTrue(next[1] >= 0.04, Arrays.toString(next));
  }

  @Test
  void allRanksHaveTheSamePartsAfterAChange() throws Exception {
    List<List<Double>> shares =
        RankThreads.run(
            2,
            ranks -> {
              WorkShares own = new WorkShares(ranks);
              for (int step = 1; step <= WorkShares.CHANGES_EVERY; step++) {
                own.stepDone(step, ranks.rank() == 0 ? 0.1 : 0.2);
              }
              return Arrays.stream(own.shares()).boxed().toList();
            });
    assertEquals(shares.get(0), shares.get(1));
    assertEquals(2.0 / 3, shares.get(0).get(0), 1e-12);
  }
}
