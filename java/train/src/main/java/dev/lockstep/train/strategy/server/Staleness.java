package dev.lockstep.train.strategy.server;

import java.util.ArrayList;
import java.util.List;

/**
 * How old gradients were when a server applied them: τ, the updates between the reading of the
 * parameters that a gradient is of and its application. Not thread-safe.
 */
public final class Staleness {
  /**
   * One gradient.
   *
   * @param worker whose it is
   * @param clock its step
   * @param read the version of the parameters that it is of
   * @param applied the version that it has made
   */
  public record Entry(int worker, long clock, long read, long applied) {}

  private final List<Entry> entries = new ArrayList<>();
  private final boolean keepsAll;
  private long gradients;
  private long sum;
  private long largest;

  /**
   * @param keepsAll whether every gradient's entry is kept, in order, and not the sums alone
   */
  public Staleness(boolean keepsAll) {
    this.keepsAll = keepsAll;
  }

  void add(Entry entry) {
    long age = entry.applied() - 1 - entry.read();
    gradients++;
    sum += age;
    largest = Math.max(largest, age);
    if (keepsAll) {
      entries.add(entry);
    }
  }

  /** All gradients in the order of their application, if they were to be kept. */
  public List<Entry> entries() {
    return List.copyOf(entries);
  }

  /** How many gradients were applied. */
  public long gradients() {
    return gradients;
  }

  /** Their mean age; 0 where there were none. */
  public double mean() {
    return gradients == 0 ? 0 : (double) sum / gradients;
  }

  /** The age of the oldest. */
  public long largest() {
    return largest;
  }
}
