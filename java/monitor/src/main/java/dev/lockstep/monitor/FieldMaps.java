package dev.lockstep.monitor;

import java.util.List;

/**
 * Maps of the samples that were kept for the end, already of bounded size.
 *
 * @param rows the side from top to bottom or bottom to top
 * @param columns the side from left to right
 * @param allTargets how many targets there are; of more than {@link #MOST_TARGETS} only the first
 *     are shown
 * @param targets what is shown
 */
public record FieldMaps(Axis rows, Axis columns, int allTargets, List<Target> targets) {
  /** A file of a size that people look at, however many there are. */
  public static final int MOST_TARGETS = 4;

  /**
   * A side.
   *
   * @param name of the dimension
   * @param unit of its coordinates; may be empty
   * @param places the coordinate of each row or column
   */
  @SuppressWarnings("ArrayRecordComponent") // drawn once and never changed
  public record Axis(String name, String unit, double[] places) {}

  /**
   * One target; all arrays hold rows × columns, NaN where there is nothing to show.
   *
   * @param name with its lead
   * @param unit may be empty
   * @param time of what is shown; may be empty
   * @param truth of the first test sample
   * @param predicted for the same
   * @param skill by cell over all test samples, 1 − mean squared error ÷ that of the climatology
   */
  @SuppressWarnings("ArrayRecordComponent") // drawn once and never changed
  public record Target(
      String name, String unit, String time, double[] truth, double[] predicted, double[] skill) {}

  /** Checks the sizes and copies the list. */
  public FieldMaps {
    targets = List.copyOf(targets);
    int cells = rows.places().length * columns.places().length;
    for (Target target : targets) {
      if (target.truth().length != cells
          || target.predicted().length != cells
          || target.skill().length != cells) {
        throw new IllegalArgumentException(
            target.name() + " has maps of another size than " + cells + " cells");
      }
    }
  }
}
