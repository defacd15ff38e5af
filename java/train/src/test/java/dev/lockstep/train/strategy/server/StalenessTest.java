package dev.lockstep.train.strategy.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.strategy.server.ParameterServerStrategy.Options;
import dev.lockstep.train.strategy.server.Staleness.Entry;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a worker reads contains (Ho et al. 2013, section 3): before its step c all its own updates,
 * and of every other worker those of all steps up to c − s − 1 at least. Each rank is worker and
 * server. Worker q's update takes 1 from parameter q alone, so the parameters count the updates in
 * them.
 */
@Timeout(200)
class StalenessTest {
  private static final int WORKERS = 4;

  /** With four bounds and four servers 102,400 reads. */
  private static final int STEPS = 1600;

  /** What one rank has seen. */
  private record Seen(List<Entry> ledger, List<double[]> reads, double[] last) {}

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8, -1})
  void everyReadContainsWhatItMust(int staleness) throws Exception {
    Options options = staleness < 0 ? Options.asynchronous() : Options.bounded(staleness);
    List<Seen> ranks =
        RankThreads.run(WORKERS, group -> train(group, options, 1000 * staleness + group.rank()));
    int ahead = 0;
    for (int p = 0; p < WORKERS; p++) {
      for (int clock = 0; clock < STEPS; clock++) {
        double[] read = ranks.get(p).reads().get(clock);
        assertEquals(clock + 1, read[p], "worker " + p + " reads its own after step " + clock);
        for (int q = 0; q < WORKERS; q++) {
          assertTrue(
              staleness < 0 || read[q] >= clock + 1 - staleness, () -> message(read, staleness));
          ahead += read[q] != clock + 1 ? 1 : 0;
        }
      }
      for (int q = 0; q < WORKERS; q++) {
        assertEquals(STEPS, ranks.get(p).last()[q], "all updates, once the ranks have met");
      }
    }
    assertTrue(ahead > 0, "the schedules have not driven the workers apart");
    for (Seen server : ranks) {
      checkLedger(server.ledger(), staleness);
    }
  }

  private static String message(double[] read, int staleness) {
    return "updates of each worker in a read: " + Arrays.toString(read) + ", bound " + staleness;
  }

  /** From (worker, clock, version read, version applied) alone, in the order of application. */
  private static void checkLedger(List<Entry> ledger, int staleness) {
    assertEquals(WORKERS * STEPS, ledger.size());
    long[][] appliedAt = new long[WORKERS][STEPS];
    long version = 0;
    for (Entry entry : ledger) {
      version++;
      assertEquals(version, entry.applied(), "versions count updates");
      appliedAt[entry.worker()][(int) entry.clock()] = entry.applied();
    }
    int violations = 0;
    for (Entry entry : ledger) {
      for (int q = 0; q < WORKERS; q++) {
        long needed =
            entry.clock() - 1 - (q == entry.worker() ? 0 : staleness < 0 ? STEPS : staleness);
        violations += needed >= 0 && appliedAt[q][(int) needed] > entry.read() ? 1 : 0;
      }
    }
    assertEquals(0, violations);
  }

  private static Seen train(Communicator group, Options options, long seed) {
    Random random = new Random(seed);
    Staleness staleness = new Staleness(true);
    try (ServedRank rank = new ServedRank(group, options, staleness)) {
      List<double[]> reads = new ArrayList<>();
      for (int step = 0; step < STEPS; step++) {
        delay(random);
        // The rate of one worker's update is a quarter of the step's.
        rank.step(step, WORKERS);
        reads.add(rank.counts());
      }
      rank.meet();
      return new Seen(staleness.entries(), reads, rank.counts());
    }
  }

  /** Most steps begin at once, some after others have taken several; no thread sleeps. */
  private static void delay(Random random) {
    long until = System.nanoTime() + (random.nextInt(8) == 0 ? random.nextInt(400_000) : 0);
    while (System.nanoTime() < until) {
      Thread.yield();
    }
  }

  /**
   * Iterations a unit of time and worker where an iteration takes 1 unit, with probability 0.1 it
   * takes 10: of 4 workers 0.244 when they wait for each other at every step (1 ÷ (1 + 9·(1 −
   * 0.9⁴))), 0.526 when they never do, and, from a simulation of the rule that is not this one,
   * 0.388 and 0.440 with bounds of 4 and 8.
   */
  @Test
  void stallsOfOneWorkerHoldTheOthersUpTheLessTheFurtherTheyMayBeAhead() {
    double synchronous = rate(0);
    assertEquals(0.244, synchronous, 0.004);
    assertEquals(0.388, rate(4), 0.008);
    assertEquals(0.440, rate(8), 0.008);
    assertEquals(1 / 1.9, rate(Clocks.UNBOUNDED), 0.01);
    assertTrue(rate(4) >= 1.5 * synchronous);
    assertTrue(rate(8) >= 1.7 * synchronous);
  }

  /** In virtual time, by {@link Clocks} alone. */
  private static double rate(long staleness) {
    Clocks clocks = new Clocks(WORKERS, staleness);
    Random random = new Random(7);
    double[] ends = new double[WORKERS];
    long[] steps = new long[WORKERS];
    for (int w = 0; w < WORKERS; w++) {
      ends[w] = duration(random);
    }
    double now = 0;
    long done = 0;
    while (done < 200_000) {
      int first = 0;
      for (int w = 1; w < WORKERS; w++) {
        first = ends[w] < ends[first] ? w : first;
      }
      now = ends[first];
      clocks.finish(first, steps[first]++);
      ends[first] = Double.POSITIVE_INFINITY;
      done++;
      for (int w = 0; w < WORKERS; w++) {
        if (ends[w] == Double.POSITIVE_INFINITY && clocks.mayStart(w)) {
          ends[w] = now + duration(random);
        }
      }
    }
    return done / now / WORKERS;
  }

  private static double duration(Random random) {
    return random.nextInt(10) == 0 ? 10 : 1;
  }
}
