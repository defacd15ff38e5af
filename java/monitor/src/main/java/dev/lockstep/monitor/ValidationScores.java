package dev.lockstep.monitor;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * How well the held-out samples are predicted, over all ranks.
 *
 * @param r2 the coefficient of determination by target name, in target order; empty for a
 *     classifier
 * @param rmse the root of the mean squared error by target name, in the target's unit; same keys
 * @param accuracy the share of samples classified correctly, in [0, 1]; empty for regression
 */
public record ValidationScores(
    Map<String, Double> r2, Map<String, Double> rmse, OptionalDouble accuracy) {
  /** Copies the maps and keeps their order. */
  public ValidationScores {
    r2 = Collections.unmodifiableMap(new LinkedHashMap<>(r2));
    rmse = Collections.unmodifiableMap(new LinkedHashMap<>(rmse));
  }

  /**
   * Returns the scores of a run that holds nothing out.
   *
   * @return no scores
   */
  public static ValidationScores none() {
    return new ValidationScores(Map.of(), Map.of(), OptionalDouble.empty());
  }
}
