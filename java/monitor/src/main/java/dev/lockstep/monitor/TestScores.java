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
 * @param everywhere over the whole grid
 * @param regions over each of {@code data.regions}, in that order
 */
public record TestScores(long samples, Area everywhere, Map<String, Area> regions) {
  /**
   * Of a part of the grid.
   *
   * @param all over all targets together; null if their units differ
   * @param targets by target, which names its lead; in the targets' order
   */
  public record Area(@Nullable Scores all, Map<String, Scores> targets) {
    /** Copies the map and keeps its order. */
    public Area {
      targets = Collections.unmodifiableMap(new LinkedHashMap<>(targets));
    }
  }

  /**
   * Of one target or of all.
   *
   * @param rmse the root of the mean squared error
   * @param mae the mean size of the error
   * @param bias the mean of predicted − actual
   * @param acc the correlation of predicted and actual anomalies about the training years'
   *     climatology, uncentred (Miyakoda et al. 1972)
   * @param baselines the root mean squared error of each baseline, where it is known
   * @param skills by baseline 1 − mean squared error ÷ the baseline's, over the cells where both
   *     are known: 0 for as good as it, 1 for perfect
   */
  public record Scores(
      double rmse,
      double mae,
      double bias,
      double acc,
      Map<String, Double> baselines,
      Map<String, Double> skills) {
    /** Copies the maps and keeps their order. */
    public Scores {
      baselines = Collections.unmodifiableMap(new LinkedHashMap<>(baselines));
      skills = Collections.unmodifiableMap(new LinkedHashMap<>(skills));
    }

    /** Against one baseline; NaN if it is not among them. */
    public double skill(String baseline) {
      return skills.getOrDefault(baseline, Double.NaN);
    }
  }

  /** Copies the map and keeps its order. */
  public TestScores {
    regions = Collections.unmodifiableMap(new LinkedHashMap<>(regions));
  }
}
