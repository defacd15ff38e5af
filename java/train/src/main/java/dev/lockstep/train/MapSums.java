package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.field.FieldDataset;
import dev.lockstep.data.field.MapGrid;
import dev.lockstep.monitor.FieldMaps;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the maps of a run show of its first targets: the first test sample, and by cell the squared
 * errors of the network and of the climatology over all of them.
 */
final class MapSums {
  private final FieldDataset dataset;
  private final MapGrid grid;
  private final int targets;
  private final double[] network;
  private final double[] climatology;

  /** Of the first sample, by target; zero on the ranks that do not have it. */
  private final double[] truth;

  private final double[] predicted;
  private final String[] times;

  MapSums(FieldDataset dataset, MapGrid grid) {
    this.dataset = dataset;
    this.grid = grid;
    targets = Math.min(FieldMaps.MOST_TARGETS, dataset.targetNames().size());
    network = new double[targets * grid.cells()];
    climatology = new double[targets * grid.cells()];
    truth = new double[targets * grid.cells()];
    predicted = new double[targets * grid.cells()];
    times = new String[targets];
    Arrays.fill(times, "");
  }

  void add(long sample, double[] predicted, double[] truth, double[] climatology, boolean isFirst) {
    double[] ofNetwork = new double[truth.length];
    double[] ofClimatology = new double[truth.length];
    double[] shown = predicted.clone();
    for (int i = 0; i < truth.length; i++) {
      double deviation = climatology[i] - truth[i];
      double error = predicted[i] - truth[i];
      boolean known = !Double.isNaN(deviation);
      ofNetwork[i] = known ? error * error : 0;
      ofClimatology[i] = known ? deviation * deviation : 0;
      // What the network says of land means nothing.
      shown[i] = Double.isNaN(climatology[i]) ? Double.NaN : predicted[i];
    }
    for (int t = 0; t < targets; t++) {
      int at = t * dataset.cells();
      grid.add(ofNetwork, at, this.network, t * grid.cells());
      grid.add(ofClimatology, at, this.climatology, t * grid.cells());
      if (isFirst) {
        System.arraycopy(grid.mean(truth, at), 0, this.truth, t * grid.cells(), grid.cells());
        System.arraycopy(grid.mean(shown, at), 0, this.predicted, t * grid.cells(), grid.cells());
        times[t] = dataset.targetTime(sample, t);
      }
    }
  }

  /** Over all ranks; collective. The first rank has the first sample. */
  FieldMaps merged(Communicator communicator) {
    double[] errors = communicator.allReduce(network, ReduceOp.SUM);
    double[] baseline = communicator.allReduce(climatology, ReduceOp.SUM);
    List<FieldMaps.Target> maps = new ArrayList<>();
    for (int t = 0; t < targets; t++) {
      int from = t * grid.cells();
      double[] skill = new double[grid.cells()];
      Arrays.setAll(skill, c -> 1 - errors[from + c] / baseline[from + c]);
      String variable = dataset.targetVariables().get(t);
      maps.add(
          new FieldMaps.Target(
              dataset.targetNames().get(t),
              dataset.units().getOrDefault(variable, ""),
              times[t],
              Arrays.copyOfRange(truth, from, from + grid.cells()),
              Arrays.copyOfRange(predicted, from, from + grid.cells()),
              skill));
    }
    return new FieldMaps(
        axis(grid.rows()), axis(grid.columns()), dataset.targetNames().size(), maps);
  }

  private static FieldMaps.Axis axis(MapGrid.Side side) {
    return new FieldMaps.Axis(side.name(), side.unit(), side.places());
  }
}
