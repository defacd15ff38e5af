package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.federated.privacy.SecureAggregation;
import dev.lockstep.train.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.privacy.secure_aggregation}: the server learns the sum of a round's
 * changes and no single one ({@link SecureAggregation}).
 *
 * @param threshold share of a round's clients without which it has no sum, above 1/2 and up to 1
 * @param minimum clients of a sum, at least 3: the sum of two tells each the other's change
 * @param fractionBits changes are rounded to steps of 2^-fraction_bits, from 0 to 40; without
 *     meaning where noise is added, which has a grid of its own
 * @param range the largest element of a change, above 0; a client with a larger one is left out.
 *     Without meaning likewise
 */
public record SecureAggregationConfig(
    double threshold, int minimum, int fractionBits, double range) {
  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public SecureAggregationConfig {
    if (!(threshold > 0.5 && threshold <= 1)) {
      throw new ConfigKeyException(
          "threshold", "must be above 0.5 and at most 1, not " + threshold);
    }
    Checks.atLeast("minimum", minimum, 3);
    if (fractionBits < 0 || fractionBits > 40) {
      throw new ConfigKeyException("fraction_bits", "must be from 0 to 40, not " + fractionBits);
    }
    Checks.positive("range", range);
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static SecureAggregationConfig of(
      @JsonProperty("threshold") @Nullable Double threshold,
      @JsonProperty("minimum") @Nullable Integer minimum,
      @JsonProperty("fraction_bits") @Nullable Integer fractionBits,
      @JsonProperty("range") @Nullable Double range) {
    return new SecureAggregationConfig(
        threshold == null ? 2.0 / 3 : threshold,
        minimum == null ? 3 : minimum,
        fractionBits == null ? 20 : fractionBits,
        range == null ? 16 : range);
  }

  /** How many of so many clients, at least the minimum, a sum needs; more than half of them. */
  public int thresholdOf(int clients) {
    int share = Math.max(clients / 2 + 1, (int) Math.ceil(threshold * clients - 1e-9));
    return Math.max(minimum, share);
  }
}
