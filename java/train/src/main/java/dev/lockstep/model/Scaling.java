package dev.lockstep.model;

/**
 * An affine map between physical and normalised numbers, column by column: normalised = (physical −
 * offset) ÷ scale.
 *
 * @param offset what is subtracted, one for each column
 * @param scale what is divided by, one for each column, not zero
 * @param dimensionsBehind how many dimensions of a tensor come behind that of the columns: 0 for
 *     rows of numbers, 2 for channels of maps
 */
@SuppressWarnings("ArrayRecordComponent") // handed straight to a tensor, which copies it
public record Scaling(double[] offset, double[] scale, int dimensionsBehind) {
  /**
   * Checks that the columns pair up.
   *
   * @throws IllegalArgumentException if the lengths differ
   */
  public Scaling {
    if (offset.length != scale.length) {
      throw new IllegalArgumentException(
          offset.length + " offsets do not go with " + scale.length + " scales.");
    }
  }

  /** Of rows of numbers. */
  public Scaling(double[] offset, double[] scale) {
    this(offset, scale, 0);
  }

  /** The map that changes nothing, for outputs such as class scores. */
  public static Scaling identity() {
    return new Scaling(new double[] {0}, new double[] {1});
  }
}
