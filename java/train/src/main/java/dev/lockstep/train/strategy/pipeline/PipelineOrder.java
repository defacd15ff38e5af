package dev.lockstep.train.strategy.pipeline;

import java.util.ArrayList;
import java.util.List;

/**
 * What each rank of a pipeline computes, one after another, for all ranks at once. Part p of the
 * model is on rank p mod P. Whatever the schedule, each part meets the pieces in ascending order,
 * forward and backward: so gradients are added up, and batch statistics move, as where one process
 * accumulates over the same pieces.
 */
final class PipelineOrder {
  private PipelineOrder() {}

  /**
   * One pass of one piece through one part.
   *
   * @param forward or else backward
   */
  record Action(boolean forward, int part, int piece) {}

  /**
   * The order of each rank.
   *
   * @param ranks P, at least 1
   * @param chunks v, parts of a rank; 1 unless the schedule is interleaved
   * @param pieces m, at least 1
   */
  static List<List<Action>> of(PipelineSchedule schedule, int ranks, int chunks, int pieces) {
    List<List<Integer>> rounds = rounds(ranks, pieces);
    List<List<Action>> orders = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      List<Action> forward = new ArrayList<>();
      List<Action> backward = new ArrayList<>();
      for (List<Integer> round : rounds) {
        for (int chunk = 0; chunk < chunks; chunk++) {
          for (int piece : round) {
            forward.add(new Action(true, chunk * ranks + rank, piece));
            backward.add(new Action(false, (chunks - 1 - chunk) * ranks + rank, piece));
          }
        }
      }
      int warmUp =
          switch (schedule) {
            case GPIPE -> forward.size();
            case ONE_F_ONE_B -> ranks - 1 - rank;
            case INTERLEAVED -> (chunks - 1) * rounds.get(0).size() + 2 * (ranks - 1 - rank);
          };
      orders.add(alternating(forward, backward, Math.min(warmUp, forward.size())));
    }
    return orders;
  }

  /**
   * Pieces that go through one chunk before the next: at least as many as there are ranks, if there
   * are so many, or a rank would wait for what it is to compute itself later; the larger rounds
   * first, as the warm-up is for the first.
   */
  private static List<List<Integer>> rounds(int ranks, int pieces) {
    int count = Math.max(1, pieces / ranks);
    List<List<Integer>> rounds = new ArrayList<>();
    int next = 0;
    for (int round = 1; round <= count; round++) {
      List<Integer> members = new ArrayList<>();
      for (int end = (pieces * round + count - 1) / count; next < end; next++) {
        members.add(next);
      }
      rounds.add(members);
    }
    return rounds;
  }

  /** Some forward passes, then forward and backward in turns, then what is left. */
  private static List<Action> alternating(List<Action> forward, List<Action> backward, int warmUp) {
    List<Action> order = new ArrayList<>(forward.subList(0, warmUp));
    int done = 0;
    for (int i = warmUp; i < forward.size(); i++) {
      order.add(forward.get(i));
      order.add(backward.get(done++));
    }
    order.addAll(backward.subList(done, backward.size()));
    return order;
  }
}
