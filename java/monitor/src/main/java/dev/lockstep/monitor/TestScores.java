package dev.lockstep.monitor;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How well the samples that were kept for the end are predicted, beside what asks for no network;
 * the object {@code test} of {@code summary.json}. Errors are weighted by cell and in the targets'
 * own units.
 *
 * @param samples how many were scored, over all ranks
 * @param all over all targets together; null if their units differ
 * @param targets by target, in the targets' order
 */
public record TestScores(long samples, @Nullable Scores all, Map<String, Scores> targets) {
  /**
   * Of one target or of all.
   *
   * @param rmse the root of the mean squared error
   * @param mae the mean size of the error
   * @param bias the mean of predicted − actual
   * @param acc the correlation of predicted and actual anomalies about the training years'
   *     climatology, uncentred (Miyakoda et al. 1972)
   * @param baselines the root mean squared error of each baseline
   */
  public record Scores(
      double rmse, double mae, double bias, double acc, Map<String, Double> baselines) {
    /** Copies the map and keeps its order. */
    public Scores {
      baselines = Collections.unmodifiableMap(new LinkedHashMap<>(baselines));
    }

    /** 1 − mean squared error ÷ that of a baseline: 0 for as good as it, 1 for perfect. */
    public double skill(String baseline) {
      double error = baselines.getOrDefault(baseline, Double.NaN);
      return 1 - rmse * rmse / (error * error);
    }
  }

  /** Copies the map and keeps its order. */
  public TestScores {
    targets = Collections.unmodifiableMap(new LinkedHashMap<>(targets));
  }
}
