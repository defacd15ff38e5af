package dev.lockstep.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lockstep.comm.Communicator;
import dev.lockstep.train.engine.Stateful;
import dev.lockstep.train.engine.TrainingState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Parts of each batch by the ranks' measured speed, so that all need as long: every some steps each
 * rank's part is divided by the time that it has worked on its own, and all are scaled to add up to
 * 1. Equal on all ranks, which tell each other their times. Not thread-safe.
 */
final class WorkShares implements Stateful {
  /** Steps between changes. */
  static final int CHANGES_EVERY = 10;

  /** Parts stay while the slowest rank takes at most so many times the mean. */
  private static final double EVEN_ENOUGH = 1.03;

  /** No part falls below this many of an equal one, so that a rank's speed stays known. */
  private static final double LEAST = 0.1;

  private final Communicator communicator;
  private final List<Double> seconds = new ArrayList<>();
  private double[] shares;

  WorkShares(Communicator communicator) {
    this.communicator = communicator;
    shares = equal(communicator.size());
  }

  private static double[] equal(int ranks) {
    double[] shares = new double[ranks];
    Arrays.fill(shares, 1.0 / ranks);
    return shares;
  }

  /** By rank; they add up to 1. */
  double[] shares() {
    return shares.clone();
  }

  /**
   * A step is done; collective.
   *
   * @param steps since the run began
   * @param worked seconds of it in which this rank did not wait for others
   * @return whether {@link #shares} are others now
   */
  boolean stepDone(long steps, double worked) {
    seconds.add(worked);
    if (steps % CHANGES_EVERY != 0 || communicator.size() == 1) {
      return false;
    }
    double[] sorted = seconds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    seconds.clear();
    double[] times = communicator.allGather(new double[] {sorted[sorted.length / 2]});
    double[] next = next(shares, times);
    boolean changes = !Arrays.equals(next, shares);
    shares = next;
    return changes;
  }

  /** The parts after those with which ranks took so long. */
  static double[] next(double[] shares, double[] times) {
    double mean = Arrays.stream(times).average().orElseThrow();
    double slowest = Arrays.stream(times).max().orElseThrow();
    if (!(mean > 0) || slowest <= EVEN_ENOUGH * mean) {
      return shares;
    }
    double[] next = new double[shares.length];
    double sum = 0;
    for (int rank = 0; rank < next.length; rank++) {
      next[rank] = shares[rank] / Math.max(times[rank], 1e-3 * mean);
      sum += next[rank];
    }
    double least = LEAST / shares.length;
    double total = 0;
    for (int rank = 0; rank < next.length; rank++) {
      next[rank] = Math.max(least, next[rank] / sum);
      total += next[rank];
    }
    for (int rank = 0; rank < next.length; rank++) {
      next[rank] /= total;
    }
    return next;
  }

  @Override
  public void declare(TrainingState state) {
    state.value("work_shares", this::saved, this::restore);
  }

  private JsonNode saved() {
    ArrayNode saved = JsonNodeFactory.instance.arrayNode();
    Arrays.stream(shares).forEach(saved::add);
    return saved;
  }

  /** Another number of ranks begins with equal parts. */
  private void restore(JsonNode saved) {
    if (saved.size() != shares.length) {
      shares = equal(shares.length);
      return;
    }
    for (int rank = 0; rank < shares.length; rank++) {
      shares[rank] = saved.get(rank).asDouble();
    }
  }
}
