package dev.lockstep.train.strategy.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.CommunicatorClosedException;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.strategy.server.ParameterServerStrategy.Options;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whom servers take for silent, and what ranks are told then. A server's deadlines pass when the
 * test says so; those of the group are a minute.
 */
@Timeout(120)
class ServerJudgementTest {
  private static final int STEPS = 3;

  /** Pulses of a step that is within the deadline, but of which several are not. */
  private static final int LONG_STEP = Silence.PULSES / 2 + 1;

  private static final int TOO_LONG = Silence.PULSES + 1;

  /** What one rank does. */
  private interface Body {
    void run(ServedRank rank, int number) throws Exception;
  }

  private static List<double[]> run(int ranks, Options options, Body body) throws Exception {
    return RankThreads.run(
        ranks,
        group -> {
          try (ServedRank rank = new ServedRank(group, options, new Staleness(false))) {
            body.run(rank, group.rank());
            return rank.counts();
          }
        });
  }

  private static void await(CountDownLatch latch) throws InterruptedException {
    assertTrue(latch.await(60, TimeUnit.SECONDS), "the other ranks are late");
  }

  private static void acquire(Semaphore permits) throws InterruptedException {
    assertTrue(permits.tryAcquire(60, TimeUnit.SECONDS), "the other ranks are late");
  }

  private static void assertSilent(int silent, ServedRank rank, int step) {
    CollectiveTimeoutException e =
        assertThrows(CollectiveTimeoutException.class, () -> rank.step(step, 1));
    assertEquals(silent, e.rank(), e.getMessage());
    assertTrue(e.getMessage().contains("heard nothing of rank " + silent), e.getMessage());
  }

  /** A rank that only serves asks rank 0's server alone. */
  @Test
  void aSecondServerDoesNotExpectRanksThatOnlyServeBeforeTheyMeet() throws Exception {
    Semaphore waited = new Semaphore(0);
    Semaphore stepped = new Semaphore(0);
    List<double[]> counts =
        run(
            4,
            Options.synchronous().withServers(2),
            (rank, number) -> {
              for (int step = 0; step < STEPS; step++) {
                if (number == 1) {
                  rank.awaitRequestsOf(2);
                  rank.pass(LONG_STEP);
                  waited.release();
                }
                if (number == 3) {
                  acquire(waited);
                }
                rank.step(step, 1);
                if (number == 2) {
                  stepped.release();
                }
                if (number == 1) {
                  acquire(stepped);
                }
              }
              rank.meet();
            });
    for (double[] all : counts) {
      assertArrayEquals(new double[] {0, 0, STEPS / 4.0, STEPS / 4.0}, all, 1e-12);
    }
  }

  @Test
  void aSecondServerNamesTheSilentWorkerAndNoRankThatOnlyServes() throws Exception {
    CountDownLatch told = new CountDownLatch(1);
    run(
        4,
        Options.synchronous().withServers(2),
        (rank, number) -> {
          if (number == 1) {
            rank.pass(Silence.PULSES);
            rank.awaitRequestsOf(2);
            rank.pass(TOO_LONG);
          }
          if (number == 2) {
            assertSilent(3, rank, 0);
            told.countDown();
          }
          await(told);
        });
  }

  /** Nobody else waits for it but the rank that only serves. */
  @Test
  void theOnlyWorkerIsNamedWhenItsProcessHasStopped() throws Exception {
    CountDownLatch told = new CountDownLatch(1);
    run(
        2,
        Options.asynchronous().withServers(1),
        (rank, number) -> {
          rank.step(0, 1);
          if (number == 1) {
            await(told);
            return;
          }
          CompletableFuture<Void> judge =
              CompletableFuture.runAsync(
                  () -> {
                    rank.awaitRequestsOf(0);
                    // A step may take as long as it likes.
                    rank.pass(3 * TOO_LONG);
                    rank.passWithout(1, TOO_LONG);
                  });
          CollectiveTimeoutException e =
              assertThrows(CollectiveTimeoutException.class, () -> rank.step(1, 1));
          assertEquals(1, e.rank());
          assertTrue(e.getMessage().contains("no sign of life of rank 1"), e.getMessage());
          judge.get(60, TimeUnit.SECONDS);
          told.countDown();
        });
  }

  /** Whether the others wait for it, or not. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theOthersGoOnWithoutAWorkerWhoseProcessHasStopped(boolean synchronous) throws Exception {
    CountDownLatch gone = new CountDownLatch(1);
    CountDownLatch others = new CountDownLatch(2);
    run(
        3,
        (synchronous ? Options.synchronous() : Options.asynchronous()).withServers(1),
        (rank, number) -> {
          if (number == 2) {
            await(others);
            return;
          }
          if (number == 0 && synchronous) {
            CompletableFuture<Void> judge = judge(rank, gone, 0, 1);
            rank.step(0, 1);
            judge.get(60, TimeUnit.SECONDS);
            rank.step(1, 1);
          } else if (number == 0) {
            rank.step(0, 1);
            CompletableFuture<Void> judge = judge(rank, gone, 0);
            rank.step(1, 1);
            judge.get(60, TimeUnit.SECONDS);
          } else {
            rank.step(0, 1);
            await(gone);
            rank.step(1, 1);
          }
          assertEquals(BitSet.valueOf(new long[] {0b100}), rank.lost());
          others.countDown();
        });
  }

  /** Has rank 2 be taken for stopped while others wait. */
  private static CompletableFuture<Void> judge(
      ServedRank rank, CountDownLatch gone, int... waiting) {
    return CompletableFuture.runAsync(
        () -> {
          rank.awaitRequestsOf(waiting);
          rank.passWithout(2, TOO_LONG);
          gone.countDown();
        });
  }

  @Test
  void aWorkerThatTheStepsDoWithoutIsNotSilent() throws Exception {
    CountDownLatch others = new CountDownLatch(2);
    run(
        3,
        Options.synchronous().withDropSlowest(1),
        (rank, number) -> {
          if (number == 2) {
            await(others);
            rank.step(0, 1);
            assertEquals(STEPS, rank.next());
          } else {
            for (int step = 0; step < STEPS; step++) {
              if (number == 1) {
                rank.awaitRequestsOf(0);
                rank.pass(LONG_STEP);
              }
              rank.step(step, 1);
            }
            others.countDown();
          }
          rank.meet();
        });
  }

  /** Rank 0 hears of rank 2 next, which leaves because of what rank 1's server has told it. */
  @Test
  void allAreToldOfTheSilentRankAndNotOfOneThatLeavesBecauseOfIt() throws Exception {
    CountDownLatch told = new CountDownLatch(2);
    run(
        3,
        Options.synchronous(),
        (rank, number) -> {
          if (number == 1) {
            rank.awaitRequestsOf(0, 2);
            rank.pass(TOO_LONG);
            await(told);
          } else {
            assertSilent(1, rank, 0);
            told.countDown();
          }
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aServerThatHasFailedSaysSoToWhoeverAsksBeforeOrAfter(boolean before) throws Exception {
    CountDownLatch failed = new CountDownLatch(1);
    CountDownLatch told = new CountDownLatch(1);
    run(
        2,
        Options.synchronous(),
        (rank, number) -> {
          if (number == 0) {
            if (before) {
              rank.awaitRequestsOf(1);
            }
            rank.failServer(
                new CommunicatorClosedException("closed", CommunicationException.NO_RANK, null));
            failed.countDown();
            await(told);
            return;
          }
          if (!before) {
            await(failed);
          }
          PeerFailedException e = assertThrows(PeerFailedException.class, () -> rank.step(0, 1));
          told.countDown();
          assertEquals(0, e.rank());
          assertTrue(e.getMessage().contains("server of rank 0 has failed"), e.getMessage());
        });
  }

  @Test
  void aRankThatDoesNotGoOnAfterAMeetingIsNamed() throws Exception {
    CountDownLatch told = new CountDownLatch(1);
    run(
        2,
        Options.synchronous(),
        (rank, number) -> {
          rank.meet();
          if (number == 0) {
            rank.awaitRequestsOf(1);
            rank.pass(TOO_LONG);
            await(told);
          } else {
            rank.goOn();
            assertSilent(0, rank, 0);
            told.countDown();
          }
        });
  }

  @Test
  void ranksThatAllWaitForEachOtherDoNotWaitForEver() throws Exception {
    run(
        2,
        Options.synchronous(),
        (rank, number) -> {
          if (number == 1) {
            PeerFailedException e = assertThrows(PeerFailedException.class, () -> rank.step(0, 1));
            assertEquals(0, e.rank());
            return;
          }
          CompletableFuture<Void> judge =
              CompletableFuture.runAsync(
                  () -> {
                    rank.awaitRequestsOf(0, 1);
                    rank.pass(TOO_LONG);
                  });
          IllegalStateException e = assertThrows(IllegalStateException.class, rank::meet);
          assertTrue(
              e.getMessage().contains("[rank 0 for MEET at step 0, rank 1 for PUSH at step 0]"),
              e.getMessage());
          judge.get(60, TimeUnit.SECONDS);
        });
  }
}
