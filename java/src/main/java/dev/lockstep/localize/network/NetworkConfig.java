package dev.lockstep.localize.network;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The {@code network} section of a configuration: a random network. Sensors and anchors lie
 * uniformly in the unit square or cube.
 *
 * @param nSensors at least 1; null: no network is generated, it comes from a file
 * @param nAnchors at least {@code dimension} + 1; null like the sensors
 * @param communicationRange up to which distance there are measurements, above 0; null like the
 *     sensors
 * @param dimension 2 or 3
 * @param seed of the positions; null: that of the measurements
 */
public record NetworkConfig(
    @Nullable Integer nSensors,
    @Nullable Integer nAnchors,
    @Nullable Double communicationRange,
    int dimension,
    @Nullable Long seed) {

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public NetworkConfig {
    if (dimension != 2 && dimension != 3) {
      throw new ConfigKeyException("dimension", "must be 2 or 3, not " + dimension + ".");
    }
    if (nSensors != null && nSensors < 1) {
      throw new ConfigKeyException("n_sensors", "must be at least 1, not " + nSensors + ".");
    }
    if (nAnchors != null && nAnchors < dimension + 1) {
      throw new ConfigKeyException(
          "n_anchors",
          String.format(
              Locale.ROOT,
              "must be at least %d in %d-D, not %d.",
              dimension + 1,
              dimension,
              nAnchors));
    }
    if (communicationRange != null
        && !(communicationRange > 0 && Double.isFinite(communicationRange))) {
      throw new ConfigKeyException(
          "communication_range", "must be above 0, not " + communicationRange + ".");
    }
    int given = 0;
    given += nSensors == null ? 0 : 1;
    given += nAnchors == null ? 0 : 1;
    given += communicationRange == null ? 0 : 1;
    if (given != 0 && given != 3) {
      throw new ConfigKeyException(
          nSensors == null ? "n_sensors" : nAnchors == null ? "n_anchors" : "communication_range",
          "is missing; a network that is generated needs n_sensors, n_anchors and"
              + " communication_range.");
    }
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static NetworkConfig of(
      @JsonProperty("n_sensors") @Nullable Integer nSensors,
      @JsonProperty("n_anchors") @Nullable Integer nAnchors,
      @JsonProperty("communication_range") @Nullable Double communicationRange,
      @JsonProperty("dimension") @Nullable Integer dimension,
      @JsonProperty("seed") @Nullable Long seed) {
    return new NetworkConfig(
        nSensors, nAnchors, communicationRange, dimension == null ? 2 : dimension, seed);
  }

  /** Whether there is a network to generate. */
  public boolean generates() {
    return nSensors != null;
  }
}
