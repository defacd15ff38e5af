package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonProperty;

/** How values are brought to the network's scale; measured on the training samples alone. */
public enum Normalization {
  /** (x − mean) ÷ standard deviation. */
  @JsonProperty("mean_std")
  MEAN_STD,
  /** (x − min) ÷ (max − min). */
  @JsonProperty("min_max")
  MIN_MAX,
  /** x ÷ max |x|. */
  @JsonProperty("max")
  MAX,
  /**
   * The deviation from the training years' mean at the same place and time of year, ÷ its standard
   * deviation.
   */
  @JsonProperty("anomaly")
  ANOMALY,
  /** ln(1 + x), then as mean_std; for amounts such as precipitation. */
  @JsonProperty("log1p")
  LOG1P,
  /** As they are. */
  @JsonProperty("none")
  NONE
}
