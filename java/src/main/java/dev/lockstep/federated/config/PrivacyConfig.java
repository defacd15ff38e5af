package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.federated.privacy.AdaptiveClipping;
import dev.lockstep.train.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.privacy}: differential privacy of clients (DP-FedAvg, McMahan et al.
 * 2018). Changes are clipped and count alike, noise is added to their sum, and the sum is divided
 * by the expected number of clients.
 *
 * @param noiseMultiplier the noise's standard deviation over {@code clip_norm}; 0 for no
 *     differential privacy, but secure aggregation alone
 * @param clipNorm the length to which changes are shortened, above 0; with {@code quantile} that of
 *     the first round
 * @param delta of the (ε, δ) that is reported, in (0, 1); well below 1 ÷ clients
 * @param quantile share of changes that the norm should exceed, in (0, 1) (Andrew et al. 2021);
 *     null for a fixed norm
 * @param countNoise with {@code quantile}: noise on the number of changes that are short enough; if
 *     left out a twentieth of a round's clients, or {@code noise_multiplier} if that is more
 * @param canaries clients of an audit of the mechanism after the last round, at most {@code
 *     clients}; 0 for none
 * @param secureAggregation hides single changes from the server; null for no hiding
 */
public record PrivacyConfig(
    double noiseMultiplier,
    double clipNorm,
    double delta,
    @Nullable Double quantile,
    @Nullable Double countNoise,
    int canaries,
    @Nullable SecureAggregationConfig secureAggregation) {
  /** The step of the norm's logarithm that Andrew et al. 2021 recommend. */
  private static final double NORM_STEP = 0.2;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public PrivacyConfig {
    Checks.notNegative("noise_multiplier", noiseMultiplier);
    if (noiseMultiplier == 0 && (secureAggregation == null || quantile != null || canaries > 0)) {
      throw new ConfigKeyException(
          "noise_multiplier",
          "must be above 0, but with secure_aggregation alone, without quantile and canaries");
    }
    Checks.atLeast("canaries", canaries, 0);
    Checks.positive("clip_norm", clipNorm);
    if (!(delta > 0 && delta < 1)) {
      throw new ConfigKeyException("delta", "must be above 0 and below 1, not " + delta);
    }
    if (quantile != null && !(quantile > 0 && quantile < 1)) {
      throw new ConfigKeyException("quantile", "must be above 0 and below 1, not " + quantile);
    }
    if (countNoise != null) {
      Checks.positive("count_noise", countNoise);
      if (quantile == null) {
        throw new ConfigKeyException("count_noise", "needs a quantile that the norm follows");
      }
    }
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static PrivacyConfig of(
      @JsonProperty("noise_multiplier") @Nullable Double noiseMultiplier,
      @JsonProperty("clip_norm") @Nullable Double clipNorm,
      @JsonProperty("delta") @Nullable Double delta,
      @JsonProperty("quantile") @Nullable Double quantile,
      @JsonProperty("count_noise") @Nullable Double countNoise,
      @JsonProperty("canaries") @Nullable Integer canaries,
      @JsonProperty("secure_aggregation") @Nullable SecureAggregationConfig secureAggregation) {
    return new PrivacyConfig(
        noiseMultiplier == null ? 1 : noiseMultiplier,
        clipNorm == null ? 1 : clipNorm,
        delta == null ? 1e-5 : delta,
        quantile,
        countNoise,
        canaries == null ? 0 : canaries,
        secureAggregation);
  }

  /** Whether there is differential privacy, and not secure aggregation alone. */
  public boolean addsNoise() {
    return noiseMultiplier > 0;
  }

  /** How the norm adapts in rounds of so many clients; null for a fixed one. */
  public @Nullable AdaptiveClipping adaptive(int perRound) {
    return quantile == null
        ? null
        : new AdaptiveClipping(
            quantile,
            NORM_STEP,
            countNoise == null ? Math.max(perRound / 20.0, noiseMultiplier) : countNoise);
  }
}
