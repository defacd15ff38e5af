package dev.lockstep.data.field;

/** Values on the grid of a sample, at any step and lane; one channel before lags and leads. */
interface Source {
  /** How messages and metrics call it: with the indices of the file. */
  String name();

  /** What a model file calls it: with indices of the part of a dimension that is used. */
  default String key() {
    return name();
  }

  /** Whether its values depend on neither step nor lane. */
  boolean isStatic();

  /**
   * Whether its values depend on the step; those of a station's height depend on the lane alone.
   */
  boolean isOfSteps();

  /**
   * Reads the cells of one step.
   *
   * @param step along the dimension of lags and leads, from 0
   * @param lane which of the samples of that step
   * @param out gets one value a cell from {@code at} on; NaN where it is missing
   */
  void read(int step, int lane, double[] out, int at);
}
