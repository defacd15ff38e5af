package dev.lockstep.data.field;

import dev.lockstep.data.Normalization;
import org.jspecify.annotations.Nullable;

/**
 * A source at one step relative to the sample's, or averaged over several, as the network sees it
 * before it is scaled: a logarithm or a deviation from the climatology where that is asked for.
 *
 * @param name of the channel
 * @param first the earliest relative step that is averaged
 * @param last the latest; equal to {@code first} for one step
 * @param climatology for {@link Normalization#ANOMALY}
 */
record Channel(
    String name,
    Source source,
    int first,
    int last,
    Normalization normalization,
    @Nullable Climatology climatology) {

  /** The name with the step: {@code UWND(t-1)}. */
  static String name(String of, int step) {
    return step == 0 ? of : of + "(t" + (step > 0 ? "+" : "") + step + ")";
  }

  Channel with(Climatology measured) {
    return new Channel(name, source, first, last, normalization, measured);
  }

  /**
   * Reads the cells of a sample.
   *
   * @param scratch room for one channel
   */
  void read(Grid grid, int step, int lane, double[] out, int at, double[] scratch) {
    int cells = grid.cells();
    readStep(grid, step + last, lane, out, at);
    for (int s = first; s < last; s++) {
      readStep(grid, step + s, lane, scratch, 0);
      for (int c = 0; c < cells; c++) {
        out[at + c] += scratch[c];
      }
    }
    int count = last - first + 1;
    for (int c = at; c < at + cells; c++) {
      double mean = count == 1 ? out[c] : out[c] / count;
      out[c] = normalization == Normalization.LOG1P ? log1p(mean) : mean;
    }
  }

  private double log1p(double value) {
    if (value <= -1) {
      throw new IllegalArgumentException(
          name + " is " + value + ", and log1p takes numbers above -1; choose another normalize");
    }
    return Math.log1p(value);
  }

  private void readStep(Grid grid, int step, int lane, double[] out, int at) {
    source.read(step, lane, out, at);
    if (climatology != null) {
      climatology.add(-1, grid, step, lane, out, at);
    }
  }

  /** Turns what {@link #read} gives of one step into the source's own numbers, in place. */
  void restore(Grid grid, int step, int lane, double[] values, int at) {
    if (climatology != null) {
      climatology.add(1, grid, step + last, lane, values, at);
    }
    if (normalization == Normalization.LOG1P) {
      for (int c = at; c < at + grid.cells(); c++) {
        values[c] = Math.expm1(values[c]);
      }
    }
  }
}
