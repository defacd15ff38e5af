package dev.lockstep.monitor.metric;

import java.util.Locale;

/**
 * What a classifier's accuracy needs.
 *
 * @param correct samples classified correctly, at least 0
 * @param count samples classified, at least {@code correct}
 */
public record AccuracySums(long correct, long count) {
  /**
   * Checks the counts.
   *
   * @throws IllegalArgumentException if a count is negative or more are correct than there are
   */
  public AccuracySums {
    if (correct < 0 || count < correct) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%d correct of %d samples is no accuracy.", correct, count));
    }
  }

  /**
   * Merges with the counts of other samples.
   *
   * @param other counts of a disjoint set of samples
   * @return the counts over both
   */
  public AccuracySums plus(AccuracySums other) {
    return new AccuracySums(correct + other.correct, count + other.count);
  }

  /**
   * Returns the share that is classified correctly.
   *
   * @return a number in [0, 1]; NaN without samples
   */
  public double accuracy() {
    return (double) correct / count;
  }
}
