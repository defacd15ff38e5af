package dev.lockstep.localize;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import org.jspecify.annotations.Nullable;

/**
 * The {@code measurements} section of a configuration: how exact the distances are.
 *
 * @param noiseFactor σ, the standard deviation of a distance as a fraction of it, at least 0; null:
 *     what the network's file says, else {@value #USUAL_NOISE}. 0 generates exact distances
 * @param seed of the noise
 */
public record MeasurementsConfig(@Nullable Double noiseFactor, long seed) {
  private static final double USUAL_NOISE = 0.05;

  /** Weights of exact distances are finite, too; what is below this is exact in every respect. */
  private static final double LEAST_NOISE = 1e-9;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public MeasurementsConfig {
    if (noiseFactor != null && !(noiseFactor >= 0 && noiseFactor < 1)) {
      throw new ConfigKeyException(
          "noise_factor",
          "must be at least 0 and below 1, as a fraction of the distance, not "
              + noiseFactor
              + ".");
    }
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static MeasurementsConfig of(
      @JsonProperty("noise_factor") @Nullable Double noiseFactor,
      @JsonProperty("seed") @Nullable Long seed) {
    return new MeasurementsConfig(noiseFactor, seed == null ? 0 : seed);
  }

  /** The noise with which distances are generated. */
  double generatedNoise() {
    return noiseFactor == null ? USUAL_NOISE : noiseFactor;
  }

  /** The σ that weighs the network's distances, above 0. */
  double noiseOf(Network network) {
    double known = Double.isNaN(network.noiseFactor()) ? USUAL_NOISE : network.noiseFactor();
    return Math.max(LEAST_NOISE, noiseFactor == null ? known : noiseFactor);
  }
}
