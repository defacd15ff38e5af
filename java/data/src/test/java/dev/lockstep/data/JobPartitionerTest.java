package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JobPartitionerTest {
  /** The case for which Graham's bound is exact: 2m − 1, 2m − 1, …, m + 1, m + 1, m, m, m. */
  @Test
  void grahamsWorstCaseReachesTheBound() {
    assertEquals(7, JobPartitioner.longestFirst(new double[] {3, 3, 2, 2, 2}, 2).longest());
    JobPartitioner three = JobPartitioner.longestFirst(new double[] {5, 5, 4, 4, 3, 3, 3}, 3);
    // The least is 9: 5 + 4, 5 + 4, 3 + 3 + 3.
    assertEquals(9 * (4.0 / 3 - 1.0 / 9), three.longest(), 1e-12);
    assertEquals(List.of(List.of(0, 4, 6), List.of(1, 5), List.of(2, 3)), three.workers());
  }

  @Test
  void noListOfJobsIsBeyondTheBound() {
    Random random = new Random(11);
    for (int trial = 0; trial < 300; trial++) {
      int workers = 2 + random.nextInt(3);
      double[] jobs = random.doubles(1 + random.nextInt(9)).toArray();
      JobPartitioner shared = JobPartitioner.longestFirst(jobs, workers);
      double least = least(jobs, 0, new double[workers]);
      assertTrue(
          shared.longest() <= least * (4.0 / 3 - 1.0 / (3 * workers)) + 1e-12,
          "trial " + trial + ": " + shared.longest() + " against " + least);
      assertEquals(jobs.length, shared.workers().stream().mapToInt(List::size).sum());
    }
  }

  /** The least that is possible, by trying everything. */
  private static double least(double[] jobs, int next, double[] sums) {
    double best = Double.POSITIVE_INFINITY;
    if (next == jobs.length) {
      best = 0;
      for (double sum : sums) {
        best = Math.max(best, sum);
      }
      return best;
    }
    for (int worker = 0; worker < sums.length; worker++) {
      double before = sums[worker];
      sums[worker] += jobs[next];
      best = Math.min(best, least(jobs, next + 1, sums));
      sums[worker] = before;
    }
    return best;
  }

  @Test
  void whatIsNoCostOrNoWorkerIsRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> JobPartitioner.longestFirst(new double[] {1}, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> JobPartitioner.longestFirst(new double[] {Double.NaN}, 2));
    assertThrows(
        IllegalArgumentException.class, () -> JobPartitioner.longestFirst(new double[] {-1}, 2));
  }
}
