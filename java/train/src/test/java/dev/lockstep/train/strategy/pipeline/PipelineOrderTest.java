package dev.lockstep.train.strategy.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.train.strategy.pipeline.PipelineOrder.Action;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every order up to 8 ranks and 32 pieces, simulated. */
@Timeout(60)
class PipelineOrderTest {
  private static final int RANKS = 8;
  private static final int PIECES = 32;

  /**
   * What a simulation saw.
   *
   * @param time until all ranks are done, where each pass takes 1
   * @param live by rank, the most passes between forward and backward
   */
  private record Outcome(int time, List<Integer> live) {}

  private static Outcome simulate(List<List<Action>> orders, int parts) {
    Map<Action, Integer> done = new HashMap<>();
    int[] next = new int[orders.size()];
    int[] time = new int[orders.size()];
    int[] live = new int[orders.size()];
    int[] most = new int[orders.size()];
    boolean moved = true;
    while (moved) {
      moved = false;
      for (int rank = 0; rank < orders.size(); rank++) {
        while (next[rank] < orders.get(rank).size()) {
          Action action = orders.get(rank).get(next[rank]);
          List<Action> needed = needed(action, parts);
          if (!done.keySet().containsAll(needed)) {
            break;
          }
          for (Action earlier : needed) {
            time[rank] = Math.max(time[rank], done.get(earlier));
          }
          time[rank]++;
          done.put(action, time[rank]);
          next[rank]++;
          live[rank] += action.forward() ? 1 : -1;
          most[rank] = Math.max(most[rank], live[rank]);
          moved = true;
        }
      }
    }
    for (int rank = 0; rank < orders.size(); rank++) {
      assertEquals(orders.get(rank).size(), next[rank], "rank " + rank + " waits for ever");
    }
    return new Outcome(IntStream.of(time).max().orElseThrow(), IntStream.of(most).boxed().toList());
  }

  private static List<Action> needed(Action action, int parts) {
    List<Action> needed = new ArrayList<>();
    if (action.forward() && action.part() > 0) {
      needed.add(new Action(true, action.part() - 1, action.piece()));
    }
    if (!action.forward()) {
      needed.add(new Action(true, action.part(), action.piece()));
      if (action.part() + 1 < parts) {
        needed.add(new Action(false, action.part() + 1, action.piece()));
      }
    }
    return needed;
  }

  /** Each part meets each piece once in each direction, in ascending order. */
  private static void assertComplete(List<List<Action>> orders, int chunks, int pieces) {
    for (int rank = 0; rank < orders.size(); rank++) {
      for (boolean forward : new boolean[] {true, false}) {
        for (int chunk = 0; chunk < chunks; chunk++) {
          int part = chunk * orders.size() + rank;
          List<Integer> met =
              orders.get(rank).stream()
                  .filter(action -> action.forward() == forward && action.part() == part)
                  .map(Action::piece)
                  .toList();
          assertEquals(IntStream.range(0, pieces).boxed().toList(), met, "part " + part);
        }
      }
      assertEquals(2 * chunks * pieces, orders.get(rank).size());
    }
  }

  @Test
  void gpipeEndsAfterItsFormulaWithAllPiecesLive() {
    for (int ranks = 1; ranks <= RANKS; ranks++) {
      for (int pieces = 1; pieces <= PIECES; pieces++) {
        List<List<Action>> orders = PipelineOrder.of(PipelineSchedule.GPIPE, ranks, 1, pieces);
        assertComplete(orders, 1, pieces);
        Outcome outcome = simulate(orders, ranks);
        assertEquals(2 * (pieces + ranks - 1), outcome.time());
        assertEquals(Collections.nCopies(ranks, pieces), outcome.live());
      }
    }
  }

  @Test
  void oneForwardOneBackwardIsAsFastWithAtMostAsManyLivePiecesAsRanksFollow() {
    for (int ranks = 1; ranks <= RANKS; ranks++) {
      for (int pieces = 1; pieces <= PIECES; pieces++) {
        List<List<Action>> orders =
            PipelineOrder.of(PipelineSchedule.ONE_F_ONE_B, ranks, 1, pieces);
        assertComplete(orders, 1, pieces);
        Outcome outcome = simulate(orders, ranks);
        assertEquals(2 * (pieces + ranks - 1), outcome.time());
        int all = ranks;
        int most = pieces;
        assertEquals(
            IntStream.range(0, ranks).mapToObj(i -> Math.min(most, all - i)).toList(),
            outcome.live());
      }
    }
  }

  /** Narayanan et al. 2021, section 2.2, where the ranks divide the pieces; elsewhere it ends. */
  @Test
  void interleavedIdlesAsLongForAllPartsAsOthersForOne() {
    for (int ranks = 1; ranks <= RANKS; ranks++) {
      for (int chunks = 2; chunks <= 4; chunks++) {
        for (int pieces = 1; pieces <= PIECES; pieces++) {
          List<List<Action>> orders =
              PipelineOrder.of(PipelineSchedule.INTERLEAVED, ranks, chunks, pieces);
          assertComplete(orders, chunks, pieces);
          Outcome outcome = simulate(orders, ranks * chunks);
          if (pieces % ranks != 0) {
            continue;
          }
          assertEquals(2 * (chunks * pieces + ranks - 1), outcome.time());
          for (int rank = 0; rank < ranks; rank++) {
            int warmUp = 2 * (ranks - rank - 1) + (chunks - 1) * ranks;
            assertEquals(Math.min(chunks * pieces, warmUp + 1), outcome.live().get(rank));
          }
        }
      }
    }
  }

  @Test
  void theSimulationSeesADeadlock() {
    List<List<Action>> orders =
        List.of(
            List.of(new Action(true, 0, 0), new Action(false, 0, 0)),
            List.of(new Action(false, 1, 0), new Action(true, 1, 0)));
    AssertionError error = null;
    try {
      simulate(orders, 2);
    } catch (AssertionError e) {
      error = e;
    }
    assertTrue(error != null && String.valueOf(error.getMessage()).contains("waits for ever"));
  }
}
