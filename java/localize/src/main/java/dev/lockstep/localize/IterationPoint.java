package dev.lockstep.localize;

/**
 * How far the iteration has come.
 *
 * @param iteration from 1
 * @param objective of the relaxation, each sensor on its own copy
 * @param meanObjective at the mean of the copies, which the paper's figures show; NaN where it was
 *     not asked for
 * @param residual consensus residual, relative
 * @param mse mean squared error; NaN where the truth is not known
 */
public record IterationPoint(
    long iteration, double objective, double meanObjective, double residual, double mse) {

  /** Root of the mean squared error; NaN where the truth is not known. */
  public double rmse() {
    return Math.sqrt(mse);
  }
}
