package dev.lockstep.localize;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.localize.network.MeasurementsConfig;
import dev.lockstep.localize.network.NetworkConfig;

/**
 * A whole localisation. All keys have defaults; without {@code network.n_sensors} the network comes
 * from a file.
 */
public record LocalizationConfig(
    NetworkConfig network, MeasurementsConfig measurements, SplittingConfig algorithm) {

  /** From YAML; absent sections arrive as empty ones. */
  @JsonCreator
  static LocalizationConfig fromYaml(
      @JsonProperty("network") NetworkConfig network,
      @JsonProperty("measurements") MeasurementsConfig measurements,
      @JsonProperty("algorithm") SplittingConfig algorithm) {
    return new LocalizationConfig(network, measurements, algorithm);
  }
}
