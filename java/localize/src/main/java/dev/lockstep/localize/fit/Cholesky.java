package dev.lockstep.localize.fit;

/** Cholesky's factorisation of a positive definite matrix, in its lower triangle. */
final class Cholesky {
  /** Where a sensor is not determined its pivot is 0 but for rounding. */
  private static final double LEAST_PIVOT = 1e-14;

  private Cholesky() {}

  /** Rows of the lower triangle, the diagonal last; overwritten. */
  static void factorise(double[][] rows) {
    for (int i = 0; i < rows.length; i++) {
      double[] row = rows[i];
      double diagonal = row[i];
      for (int j = 0; j <= i; j++) {
        double[] other = rows[j];
        double sum = row[j];
        for (int k = 0; k < j; k++) {
          sum -= row[k] * other[k];
        }
        row[j] = j < i ? sum / other[j] : Math.sqrt(Math.max(sum, LEAST_PIVOT * diagonal + 1e-300));
      }
    }
  }

  /** Replaces a right-hand side by the solution. */
  static void solve(double[][] factor, double[] x) {
    for (int i = 0; i < x.length; i++) {
      double sum = x[i];
      for (int k = 0; k < i; k++) {
        sum -= factor[i][k] * x[k];
      }
      x[i] = sum / factor[i][i];
    }
    for (int i = x.length - 1; i >= 0; i--) {
      x[i] /= factor[i][i];
      for (int k = 0; k < i; k++) {
        x[k] -= factor[i][k] * x[i];
      }
    }
  }
}
