package dev.lockstep.data.field;

import dev.lockstep.data.Missing;
import java.util.Arrays;

/** The weight of each cell in losses and scores. */
final class CellWeights {
  private CellWeights() {}

  /**
   * Scales weights so that they have the mean 1 over the targets of the training samples, missing
   * ones counted as 0: so the mean over all values of weight × loss is the weighted mean, and adds
   * over ranks.
   *
   * @param given as the configuration asks for them; empty if all cells count alike
   * @return empty if all count alike and none is missing
   * @throws IllegalArgumentException if nothing has a weight
   */
  static double[] scaled(
      double[] given, Missing missing, int channels, int cells, long[] training, Targets targets) {
    boolean anyMissing = missing == Missing.MASK;
    if ((given.length == 0 && !anyMissing) || channels == 0) {
      return given;
    }
    double[] weights = given.length == 0 ? ones(cells) : given;
    double sum = 0;
    double[] row = new double[channels * cells];
    int looked = anyMissing ? training.length : 1;
    for (int i = 0; i < looked; i++) {
      targets.read(training[i], row);
      for (int v = 0; v < row.length; v++) {
        boolean counts = !anyMissing || !Double.isNaN(row[v]);
        sum += counts ? weights[v % cells] : 0;
      }
    }
    double mean = sum / ((double) looked * row.length);
    if (!(mean > 0)) {
      throw new IllegalArgumentException("the weights of all cells are zero; see data.weights");
    }
    double[] scaled = new double[cells];
    Arrays.setAll(scaled, c -> weights[c] / mean);
    return scaled;
  }

  private static double[] ones(int count) {
    double[] ones = new double[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  /** Reads the targets of a sample. */
  interface Targets {
    void read(long sample, double[] row);
  }
}
