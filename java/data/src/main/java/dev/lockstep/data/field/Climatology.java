package dev.lockstep.data.field;

import java.util.Arrays;

/**
 * The mean of a source over the training steps, at each cell and in each season; NaN where there is
 * none. Immutable.
 */
final class Climatology {
  private final Seasons seasons;
  private final int cells;
  private final int lanes;
  private final double[] means;

  /** From what was saved: seasons × lanes × cells. */
  Climatology(Seasons seasons, int lanes, int cells, double[] means) {
    if (means.length != seasons.count() * lanes * cells) {
      throw new IllegalArgumentException(
          "a climatology of "
              + means.length
              + " values is not that of "
              + seasons.count()
              + " seasons of "
              + lanes
              + " × "
              + cells
              + " cells; the data has another grid than the training's");
    }
    this.seasons = seasons;
    this.lanes = lanes;
    this.cells = cells;
    this.means = means;
  }

  /** Measures it. */
  static Climatology of(Source source, Grid grid, Seasons seasons, TrainingPoints training) {
    int cells = grid.cells();
    int lanes = grid.lanes();
    double[] sums = new double[Math.multiplyExact(seasons.count() * lanes, cells)];
    int[] counts = new int[sums.length];
    double[] values = new double[cells];
    for (int step = 0; step < training.steps().length; step++) {
      if (!training.steps()[step]) {
        continue;
      }
      int season = seasons.of(grid, step);
      for (int lane = 0; lane < lanes; lane++) {
        if (!training.holds(step, lane)) {
          continue;
        }
        source.read(step, lane, values, 0);
        int at = (season * lanes + lane) * cells;
        for (int c = 0; c < cells; c++) {
          if (!Double.isNaN(values[c])) {
            sums[at + c] += values[c];
            counts[at + c]++;
          }
        }
      }
    }
    for (int i = 0; i < sums.length; i++) {
      sums[i] = counts[i] == 0 ? Double.NaN : sums[i] / counts[i];
    }
    return new Climatology(seasons, lanes, cells, sums);
  }

  /**
   * The same where a lane that training has never seen, such as a station that is held out, has the
   * mean of the lanes that it has seen in that season.
   */
  Climatology ofUnseenLanes() {
    double[] filled = means.clone();
    for (int season = 0; season < seasons.count(); season++) {
      for (int c = 0; c < cells; c++) {
        fill(filled, season * lanes * cells + c);
      }
    }
    return new Climatology(seasons, lanes, cells, filled);
  }

  private void fill(double[] filled, int first) {
    double sum = 0;
    int count = 0;
    for (int lane = 0; lane < lanes; lane++) {
      double mean = means[first + lane * cells];
      sum += Double.isNaN(mean) ? 0 : mean;
      count += Double.isNaN(mean) ? 0 : 1;
    }
    for (int lane = 0; lane < lanes && count > 0; lane++) {
      if (Double.isNaN(filled[first + lane * cells])) {
        filled[first + lane * cells] = sum / count;
      }
    }
  }

  /** Adds {@code sign} times the mean of a step's season to a channel. */
  void add(double sign, Grid grid, int step, int lane, double[] values, int at) {
    int from = (seasons.of(grid, step) * lanes + lane) * cells;
    for (int c = 0; c < cells; c++) {
      values[at + c] += sign * means[from + c];
    }
  }

  /** All means, seasons × lanes × cells; a copy. */
  double[] means() {
    return Arrays.copyOf(means, means.length);
  }
}
