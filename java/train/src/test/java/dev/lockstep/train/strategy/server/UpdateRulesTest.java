package dev.lockstep.train.strategy.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.strategy.server.ParameterServerStrategy.Options;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of gradients that come late, in an order that the test fixes. */
@Timeout(60)
class UpdateRulesTest {
  private static final int STEPS = 5;

  @Test
  void aStepDoesWithoutItsSlowestWorkerWhichThenGoesOnWhereTheOthersAre() throws Exception {
    CountDownLatch others = new CountDownLatch(2);
    List<double[]> ranks =
        RankThreads.run(
            3,
            group -> {
              Options options = Options.synchronous().withDropSlowest(1);
              try (ServedRank rank = new ServedRank(group, options, new Staleness(false))) {
                if (group.rank() == 2) {
                  others.await(30, TimeUnit.SECONDS);
                  rank.step(0, 1);
                  assertEquals(STEPS, rank.next(), "the steps between are left out");
                } else {
                  for (int step = 0; step < STEPS; step++) {
                    rank.step(step, 1);
                  }
                  others.countDown();
                }
                rank.meet();
                return rank.counts();
              }
            });
    for (double[] rank : ranks) {
      // The mean over two samples instead of three; and nothing of the third, which came too late.
      assertArrayEquals(new double[] {STEPS / 2.0, STEPS / 2.0, 0}, rank, 1e-12);
    }
  }

  @Test
  void theRateOfAnOldGradientIsDividedByItsAge() throws Exception {
    for (boolean divided : new boolean[] {false, true}) {
      CountDownLatch first = new CountDownLatch(1);
      List<double[]> ranks =
          RankThreads.run(
              2,
              group -> {
                Options options = Options.asynchronous().withRateByStaleness(divided);
                try (ServedRank rank = new ServedRank(group, options, new Staleness(false))) {
                  if (group.rank() == 0) {
                    for (int step = 0; step < STEPS; step++) {
                      rank.step(step, 1);
                    }
                    first.countDown();
                  } else {
                    first.await(30, TimeUnit.SECONDS);
                    rank.step(0, 1);
                  }
                  rank.meet();
                  return rank.counts();
                }
              });
      // Of an even share: half the rate, or the rate over 1 + the 5 updates since it read.
      double[] expected =
          divided ? new double[] {STEPS, 1.0 / (1 + STEPS)} : new double[] {STEPS / 2.0, 0.5};
      for (double[] rank : ranks) {
        assertArrayEquals(expected, rank, 1e-12);
      }
    }
  }
}
