package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.train.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.latency}: simulated time, which moves no model but that of FedBuff: a
 * client's round takes median · exp(spread · g) seconds with g standard normal, drawn anew each
 * time.
 *
 * @param median seconds, above 0
 * @param spread of the logarithm, at least 0
 * @param deadline seconds after which a round goes on without those that have not answered, above
 *     0; null for waiting. Without meaning for FedBuff
 */
public record LatencyConfig(double median, double spread, @Nullable Double deadline) {
  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public LatencyConfig {
    Checks.positive("median", median);
    Checks.notNegative("spread", spread);
    if (deadline != null) {
      Checks.positive("deadline", deadline);
    }
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static LatencyConfig of(
      @JsonProperty("median") @Nullable Double median,
      @JsonProperty("spread") @Nullable Double spread,
      @JsonProperty("deadline") @Nullable Double deadline) {
    return new LatencyConfig(median == null ? 1 : median, spread == null ? 0.5 : spread, deadline);
  }
}
