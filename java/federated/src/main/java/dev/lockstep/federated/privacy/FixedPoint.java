package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import dev.lockstep.federated.privacy.SecureAggregationException.Reason;

/**
 * Weighted values as integers, so that their sum is exact and modular: each value in steps of
 * {@code 2^-fractionBits}, times the weight, and the weight itself as a last integer.
 *
 * @param fractionBits from 0 to 40
 * @param range the largest magnitude of a value; others are refused, never clipped in silence
 * @param maxWeight the largest weight of a client, such as its number of samples; at least 1
 */
public record FixedPoint(int fractionBits, double range, long maxWeight) {
  /**
   * @throws IllegalArgumentException for numbers out of range, or whose product exceeds 2⁶²
   */
  public FixedPoint {
    if (fractionBits < 0 || fractionBits > 40) {
      throw new IllegalArgumentException("fractionBits must be from 0 to 40, not " + fractionBits);
    }
    if (!(range > 0)) {
      throw new IllegalArgumentException("range must be above 0, not " + range);
    }
    if (maxWeight < 1) {
      throw new IllegalArgumentException("maxWeight must be at least 1, not " + maxWeight);
    }
    double most = Math.max(1, Math.ceil(Math.scalb(range, fractionBits)));
    if (!(most * maxWeight <= 0x1p62)) {
      throw new IllegalArgumentException(
          "range × 2^fractionBits × maxWeight must be at most 2^62, not "
              + most * maxWeight
              + "; take fewer fraction bits, or smaller units of weight.");
    }
  }

  /** The largest magnitude of an integer, for {@link SecureAggregation#maxMagnitude}. */
  public long maxMagnitude() {
    return maxWeight * (long) Math.max(1, Math.ceil(Math.scalb(range, fractionBits)));
  }

  /**
   * A client's integers, one more than its values.
   *
   * @throws SecureAggregationException with {@link Reason#OUT_OF_RANGE} for a value or weight that
   *     is too large, or is not a number
   */
  public long[] encode(float[] values, long weight) {
    requireNonNull(values, "values");
    if (weight < 0 || weight > maxWeight) {
      throw new SecureAggregationException(
          Reason.OUT_OF_RANGE,
          "The weight " + weight + " is not from 0 to " + maxWeight + "; raise maxWeight.");
    }
    long[] integers = new long[values.length + 1];
    for (int i = 0; i < values.length; i++) {
      if (!(Math.abs(values[i]) <= range)) {
        throw new SecureAggregationException(
            Reason.OUT_OF_RANGE,
            "The value "
                + values[i]
                + " at index "
                + i
                + " is outside ±"
                + range
                + "; raise the range, or clip updates.");
      }
      integers[i] = weight * (long) Math.rint(Math.scalb((double) values[i], fractionBits));
    }
    integers[values.length] = weight;
    return integers;
  }

  /**
   * The weighted mean from the sum of clients' integers.
   *
   * @throws IllegalArgumentException where all weights are 0
   */
  public float[] mean(long[] sum) {
    int last = requireNonNull(sum, "sum").length - 1;
    if (last < 0 || sum[last] <= 0) {
      throw new IllegalArgumentException("sum has no weight: there is no mean of no samples.");
    }
    float[] mean = new float[last];
    double unit = Math.scalb(1.0, -fractionBits) / sum[last];
    for (int i = 0; i < last; i++) {
      mean[i] = (float) (sum[i] * unit);
    }
    return mean;
  }
}
