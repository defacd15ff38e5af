package dev.lockstep.data;

import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * The samples to train on and those held out, chosen by a seeded permutation: the same on every
 * rank and every JDK. Both are in ascending order, so that reading them goes through the file
 * forwards. Immutable and thread-safe.
 */
public final class Split {
  private final long[] train;
  private final long[] validation;

  private final long[] test;

  private Split(long[] train, long[] validation, long[] test) {
    this.train = train;
    this.validation = validation;
    this.test = test;
  }

  /**
   * A split that is given.
   *
   * @param train the samples to train on, at least one; copied, as the others are
   * @param validation the samples held out
   * @param test the samples that are scored once, when training is over
   * @throws IllegalArgumentException if there is nothing to train on
   */
  public static Split of(long[] train, long[] validation, long[] test) {
    if (train.length == 0) {
      throw new IllegalArgumentException("there is no sample to train on");
    }
    return new Split(train.clone(), validation.clone(), test.clone());
  }

  /**
   * Splits {@code samples} samples.
   *
   * @param samples the number of samples, at most 2³¹ − 9
   * @param validationFraction the share held out, in [0, 1); {@code round(samples × fraction)}
   * @param seed of the permutation
   * @throws IllegalArgumentException if an argument is out of range, or nothing is left to train on
   */
  public static Split of(long samples, double validationFraction, long seed) {
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw new IllegalArgumentException(
          "validation_fraction must be at least 0 and below 1, not " + validationFraction);
    }
    if (samples < 0 || samples > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "cannot split " + samples + " samples; the limit is " + (Integer.MAX_VALUE - 8));
    }
    int held = (int) Math.round(samples * validationFraction);
    if (held == samples) {
      throw new IllegalArgumentException(
          "none of the "
              + samples
              + " samples is left to train on with validation_fraction "
              + validationFraction);
    }
    long[] order = LongStream.range(0, samples).toArray();
    new SplitMix64(seed).shuffle(order);
    long[] validation = Arrays.copyOfRange(order, 0, held);
    long[] train = Arrays.copyOfRange(order, held, order.length);
    Arrays.sort(validation);
    Arrays.sort(train);
    return new Split(train, validation, new long[0]);
  }

  /** The samples to train on, ascending; a copy. */
  public long[] train() {
    return train.clone();
  }

  /** The samples held out, ascending; a copy. */
  public long[] validation() {
    return validation.clone();
  }

  /** The samples that are scored once, when training is over, ascending; a copy. */
  public long[] test() {
    return test.clone();
  }
}
