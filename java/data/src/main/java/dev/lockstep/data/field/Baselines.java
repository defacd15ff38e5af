package dev.lockstep.data.field;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a forecast must beat, from the training's samples alone and in the targets' own numbers:
 *
 * <ul>
 *   <li>{@code climatology}: the mean of the season at the same cell; at a station that is held
 *       out, over the stations of the training;
 *   <li>{@code persistence}: the value at the sample's own step;
 *   <li>{@code damped_anomaly}: the climatology and r times the anomaly at the sample's own step, r
 *       being the correlation of anomalies so many steps apart, one number for each variable;
 *   <li>{@code autoregression}: the same with a coefficient at each cell, fitted by least squares.
 * </ul>
 *
 * <p>The last three are there when all targets lie ahead. One thread.
 */
public final class Baselines {
  public static final String CLIMATOLOGY = "climatology";
  public static final String PERSISTENCE = "persistence";
  public static final String DAMPED_ANOMALY = "damped_anomaly";
  public static final String AUTOREGRESSION = "autoregression";

  private final FieldDataset dataset;
  private final Grid grid;
  private final List<Fit> fits = new ArrayList<>();
  private final double[] now;

  /** Of one target channel. */
  @SuppressWarnings("ArrayRecordComponent") // never leaves the class
  private record Fit(
      Source source, int lead, Climatology climatology, double damping, double[] slopes) {}

  /** Fits them; reads the training's values. */
  public Baselines(FieldDataset dataset) {
    this.dataset = dataset;
    grid = dataset.grid();
    now = new double[grid.cells()];
    TrainingPoints training = dataset.training();
    Map<Source, Climatology> measured = new LinkedHashMap<>();
    for (Channel target : dataset.targets()) {
      Climatology climatology =
          measured.computeIfAbsent(target.source(), s -> climatology(s, training));
      fits.add(fit(target.source(), target.last(), climatology, training));
    }
  }

  private Climatology climatology(Source source, TrainingPoints training) {
    Climatology own = Climatology.of(source, grid, dataset.seasons(), training);
    return training.ofLanes() == null ? own : own.ofUnseenLanes();
  }

  private Fit fit(Source source, int lead, Climatology climatology, TrainingPoints training) {
    int cells = grid.cells();
    if (lead == 0) {
      return new Fit(source, lead, climatology, 0, new double[0]);
    }
    int width = cells * grid.lanes();
    double[] products = new double[width];
    double[] squares = new double[width];
    double[] before = new double[cells];
    double[] after = new double[cells];
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (int step = 0; step + lead < training.steps().length; step++) {
      for (int lane = 0; lane < grid.lanes(); lane++) {
        if (!training.holds(step, lane) || !training.holds(step + lead, lane)) {
          continue;
        }
        readAnomaly(source, climatology, step, lane, before);
        readAnomaly(source, climatology, step + lead, lane, after);
        for (int c = 0; c < cells; c++) {
          double product = before[c] * after[c];
          if (Double.isNaN(product)) {
            continue;
          }
          xy += product;
          xx += before[c] * before[c];
          yy += after[c] * after[c];
          products[lane * cells + c] += product;
          squares[lane * cells + c] += before[c] * before[c];
        }
      }
    }
    // A station that training has not seen takes the slope of all together.
    double unseen = training.ofLanes() == null || xx == 0 ? 0 : xy / xx;
    for (int i = 0; i < width; i++) {
      products[i] = squares[i] == 0 ? unseen : products[i] / squares[i];
    }
    return new Fit(source, lead, climatology, xx * yy == 0 ? 0 : xy / Math.sqrt(xx * yy), products);
  }

  private void readAnomaly(
      Source source, Climatology climatology, int step, int lane, double[] out) {
    source.read(step, lane, out, 0);
    climatology.add(-1, grid, step, lane, out, 0);
  }

  /** Which there are. */
  public List<String> names() {
    boolean ahead = fits.stream().allMatch(fit -> fit.lead > 0);
    return ahead
        ? List.of(CLIMATOLOGY, PERSISTENCE, DAMPED_ANOMALY, AUTOREGRESSION)
        : List.of(CLIMATOLOGY);
  }

  /** The factor of {@link #DAMPED_ANOMALY} for a target channel. */
  double damping(int channel) {
    return fits.get(channel).damping;
  }

  /**
   * Predicts the targets of a sample.
   *
   * @param name one of {@link #names}
   * @param out gets channels × cells values
   */
  public void predict(String name, long sample, double[] out) {
    long point = dataset.point(sample);
    int step = grid.stepOf(point);
    int lane = grid.laneOf(point);
    int cells = grid.cells();
    for (int t = 0; t < fits.size(); t++) {
      Fit fit = fits.get(t);
      int at = t * cells;
      if (name.equals(PERSISTENCE)) {
        fit.source.read(step, lane, out, at);
        continue;
      }
      Arrays.fill(out, at, at + cells, 0);
      if (!name.equals(CLIMATOLOGY)) {
        readAnomaly(fit.source, fit.climatology, step, lane, now);
        for (int c = 0; c < cells; c++) {
          double factor = name.equals(DAMPED_ANOMALY) ? fit.damping : fit.slopes[lane * cells + c];
          // Where nothing is known now, the climatology is all that is left.
          out[at + c] = Double.isNaN(now[c]) ? 0 : factor * now[c];
        }
      }
      fit.climatology.add(1, grid, step + fit.lead, lane, out, at);
    }
  }

  /** The targets of a sample as they came, in their own numbers; channels × cells values. */
  public void truth(long sample, double[] out) {
    long point = dataset.point(sample);
    for (int t = 0; t < fits.size(); t++) {
      Fit fit = fits.get(t);
      fit.source.read(grid.stepOf(point) + fit.lead, grid.laneOf(point), out, t * grid.cells());
    }
  }
}
