package dev.lockstep.localize.network;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import org.jspecify.annotations.Nullable;

/**
 * The {@code measurements} section of a configuration: how exact the distances are, and what
 * becomes of those that are given more than once.
 *
 * @param noiseFactor the part of a distance's standard deviation that grows with it, as a fraction
 *     of it, at least 0 and below 1; null: what the network's file says; where that says nothing, 0
 *     if {@code noise_sigma} is given or all distances have a standard deviation of their own, else
 *     {@value #USUAL_NOISE}. 0 generates exact distances
 * @param noiseSigma the part of it that does not, in the unit of length, at least 0; squares add up
 * @param deviceOffsets standard deviation of what each device adds to all of its distances, in the
 *     unit of length, at least 0; where it is above, the offsets are estimated along with the
 *     positions
 * @param duplicates what becomes of several distances between the same two stations: weighted_mean,
 *     median, or error
 * @param seed of the noise of generated distances
 */
public record MeasurementsConfig(
    @Nullable Double noiseFactor,
    double noiseSigma,
    double deviceOffsets,
    Duplicates duplicates,
    long seed) {
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
    if (!(noiseSigma >= 0 && Double.isFinite(noiseSigma))) {
      throw new ConfigKeyException(
          "noise_sigma", "must be at least 0, in the unit of length, not " + noiseSigma + ".");
    }
    if (!(deviceOffsets >= 0 && Double.isFinite(deviceOffsets))) {
      throw new ConfigKeyException(
          "device_offsets",
          "must be at least 0, in the unit of length, not " + deviceOffsets + ".");
    }
  }

  /** The section without any key. */
  public static MeasurementsConfig defaults() {
    return of(null, null, null, null, null);
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static MeasurementsConfig of(
      @JsonProperty("noise_factor") @Nullable Double noiseFactor,
      @JsonProperty("noise_sigma") @Nullable Double noiseSigma,
      @JsonProperty("device_offsets") @Nullable Double deviceOffsets,
      @JsonProperty("duplicates") @Nullable Duplicates duplicates,
      @JsonProperty("seed") @Nullable Long seed) {
    return new MeasurementsConfig(
        noiseFactor,
        noiseSigma == null ? 0 : noiseSigma,
        deviceOffsets == null ? 0 : deviceOffsets,
        duplicates == null ? Duplicates.WEIGHTED_MEAN : duplicates,
        seed == null ? 0 : seed);
  }

  /** The noise with which distances are generated, as a fraction of them. */
  double generatedNoise() {
    return noiseFactor != null ? noiseFactor : noiseSigma > 0 ? 0 : USUAL_NOISE;
  }

  /** What weighs the network's distances; every standard deviation that follows is above 0. */
  public Noise noiseOf(Network network) {
    boolean isKnown = noiseSigma > 0 || network.everyRangeHasDeviation();
    double usual =
        !Double.isNaN(network.noiseFactor()) ? network.noiseFactor() : isKnown ? 0 : USUAL_NOISE;
    double factor = noiseFactor == null ? usual : noiseFactor;
    return new Noise(isKnown ? factor : Math.max(LEAST_NOISE, factor), noiseSigma, deviceOffsets);
  }
}
