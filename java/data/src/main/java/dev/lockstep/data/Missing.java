package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What is done about missing values of fields. */
public enum Missing {
  /** A sample with any missing value is left out. */
  @JsonProperty("drop")
  DROP,
  /**
   * A missing target counts in no loss, normaliser or score; a missing feature is its mean; a
   * sample without any target is left out.
   */
  @JsonProperty("mask")
  MASK
}
