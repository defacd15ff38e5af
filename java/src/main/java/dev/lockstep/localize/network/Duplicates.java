package dev.lockstep.localize.network;

import java.util.Locale;

/** What becomes of several distances between the same two stations, either way round. */
public enum Duplicates {
  /** Their mean, those with smaller standard deviations counting more. */
  WEIGHTED_MEAN,
  /** Their median, which outliers among them do not move. */
  MEDIAN,
  /** Different ones are refused. */
  ERROR;

  /** As in a configuration. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
