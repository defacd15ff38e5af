package dev.lockstep.train.strategy.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.strategy.server.ParameterServerStrategy.Options;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is waited for, and for how long. */
@Timeout(60)
class SilenceTest {
  private static final List<Integer> ALL = List.of(0, 1, 2);

  @Test
  void aRankIsSilentWhenOthersHaveWaitedForItForMoreThanADeadline() {
    Silence silence = new Silence();
    assertEquals(OptionalInt.empty(), pulses(silence, 3 * Silence.PULSES), "nobody waits");
    silence.asked(0);
    silence.received(0);
    silence.asked(2);
    silence.received(2);
    assertEquals(OptionalInt.empty(), pulses(silence, Silence.PULSES));
    assertEquals(OptionalInt.of(1), silence.pulse(ALL));
  }

  @Test
  void whoIsHeardOfInTimeIsNotSilentHoweverLongTheOthersWait() {
    Silence silence = new Silence();
    silence.asked(0);
    silence.received(0);
    silence.asked(2);
    silence.received(2);
    for (int step = 0; step < 100; step++) {
      assertEquals(OptionalInt.empty(), pulses(silence, Silence.PULSES));
      silence.asked(1);
      silence.received(1);
      silence.done(1);
    }
  }

  @Test
  void whoHasAskedButDoesNotSendWhatGoesWithItIsSilent() {
    Silence silence = new Silence();
    ALL.forEach(silence::asked);
    silence.received(0);
    silence.received(1);
    assertEquals(OptionalInt.empty(), pulses(silence, Silence.PULSES));
    assertEquals(OptionalInt.of(2), silence.pulse(ALL));
  }

  private static OptionalInt pulses(Silence silence, int count) {
    OptionalInt silent = OptionalInt.empty();
    for (int i = 0; i < count && silent.isEmpty(); i++) {
      silent = silence.pulse(ALL);
    }
    return silent;
  }

  /** Rank 0 is at the epoch's end at once, and rank 1 takes steps for two deadlines longer. */
  @Test
  void aRankThatIsFarAheadWaitsLongerThanADeadlineForOneThatStillTakesSteps() throws Exception {
    double deadline = 1.5;
    List<Long> steps =
        RankThreads.run(
            2,
            group -> {
              group.setTimeout(deadline);
              try (ServedRank rank =
                  new ServedRank(group, Options.asynchronous(), new Staleness(false))) {
                long end = System.nanoTime() + (long) (group.rank() * 2 * deadline * 1e9);
                long step = 0;
                do {
                  rank.step(step++, 1);
                } while (System.nanoTime() < end);
                rank.meet();
                assertEquals(step, rank.counts()[group.rank()] * 2, 1e-9, "its own updates");
                return step;
              }
            });
    assertEquals(1, steps.get(0));
    assertTrue(steps.get(1) > 1, "rank 1 has taken steps meanwhile");
  }

  @Test
  void aRankThatTakesNoStepWhileOthersWaitIsNamedToThem() throws Exception {
    CountDownLatch told = new CountDownLatch(2);
    RankThreads.run(
        3,
        group -> {
          group.setTimeout(1);
          try (ServedRank rank = new ServedRank(group, Options.bounded(1), new Staleness(false))) {
            if (group.rank() == 1) {
              rank.step(0, 1);
              assertTrue(told.await(50, TimeUnit.SECONDS), "the others have not been told");
              return null;
            }
            assertNamed(1, rank, told);
            return null;
          }
        });
  }

  private static void assertNamed(int silent, ServedRank rank, CountDownLatch told) {
    CollectiveTimeoutException e =
        assertThrows(
            CollectiveTimeoutException.class,
            () -> {
              for (int step = 0; step < 100; step++) {
                rank.step(step, 1);
              }
            });
    told.countDown();
    assertEquals(silent, e.rank(), e.getMessage());
    assertTrue(e.getMessage().contains("heard nothing of rank " + silent), e.getMessage());
  }
}
