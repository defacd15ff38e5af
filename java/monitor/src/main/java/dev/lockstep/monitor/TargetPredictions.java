package dev.lockstep.monitor;

import java.util.Locale;

/**
 * One target's predictions beside the truth, for the scatter plot.
 *
 * @param target the target's name
 * @param unit the unit of both arrays, for example {@code W/m²}; empty when unknown
 * @param predicted what the model says, in the target's own unit (not normalised)
 * @param actual the truth, sample by sample; the record keeps both arrays without copying them
 */
public record TargetPredictions(String target, String unit, double[] predicted, double[] actual) {
  /**
   * Checks that the arrays pair up.
   *
   * @throws IllegalArgumentException if the arrays differ in length
   */
  public TargetPredictions {
    if (predicted.length != actual.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "Target '%s' has %d predictions for %d true values.",
              target,
              predicted.length,
              actual.length));
    }
  }
}
