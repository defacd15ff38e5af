package dev.lockstep.data.field;

import java.util.Arrays;
import java.util.Optional;

/**
 * The grid of a sample as a map of bounded size: its last two dimensions, at the first index of the
 * others, in blocks of cells where there are many. Immutable.
 */
public final class MapGrid {
  /** More cells than this along a side are told by their blocks. */
  static final int MOST = 360;

  private final Side rows;
  private final Side columns;

  /**
   * A side of the map.
   *
   * @param name of the dimension
   * @param unit of its coordinates; empty if there is none
   * @param length cells of the grid along it
   * @param block how many of them are one of the map
   * @param places the mean coordinate of each block; indices if there are no coordinates
   */
  @SuppressWarnings("ArrayRecordComponent") // drawn once and never changed
  public record Side(String name, String unit, int length, int block, double[] places) {
    private static Side of(Axis axis, int most) {
      int block = (axis.length() + most - 1) / most;
      double[] places = new double[(axis.length() + block - 1) / block];
      for (int i = 0; i < places.length; i++) {
        int from = i * block;
        int to = Math.min(axis.length(), from + block);
        for (int k = from; k < to; k++) {
          double place = axis.values().length > 0 ? axis.values()[k] : axis.start() + k;
          places[i] += place / (to - from);
        }
      }
      String unit = axis.coordinate() == null ? "" : Axis.text(axis.coordinate(), "units");
      return new Side(axis.name(), unit, axis.length(), block, places);
    }
  }

  private MapGrid(Side rows, Side columns) {
    this.rows = rows;
    this.columns = columns;
  }

  /** Of samples with two dimensions inside or more; nothing for others. */
  public static Optional<MapGrid> of(FieldDataset dataset) {
    return of(dataset.grid(), MOST);
  }

  static Optional<MapGrid> of(Grid grid, int most) {
    int inside = grid.inside().size();
    if (inside < 2) {
      return Optional.empty();
    }
    return Optional.of(
        new MapGrid(
            Side.of(grid.inside().get(inside - 2), most),
            Side.of(grid.inside().get(inside - 1), most)));
  }

  public Side rows() {
    return rows;
  }

  public Side columns() {
    return columns;
  }

  /** Cells of the map. */
  public int cells() {
    return rows.places.length * columns.places.length;
  }

  /**
   * Adds the cells of each block to a map.
   *
   * @param values the cells of a channel from {@code at} on, none of them NaN
   * @param map gets the sums from {@code to} on
   */
  public void add(double[] values, int at, double[] map, int to) {
    for (int r = 0; r < rows.length; r++) {
      for (int c = 0; c < columns.length; c++) {
        map[to + block(r, c)] += values[at + r * columns.length + c];
      }
    }
  }

  /** The mean of the known cells of each block of a channel; NaN where none is known. */
  public double[] mean(double[] values, int at) {
    double[] sums = new double[cells()];
    int[] counts = new int[cells()];
    for (int r = 0; r < rows.length; r++) {
      for (int c = 0; c < columns.length; c++) {
        double value = values[at + r * columns.length + c];
        if (!Double.isNaN(value)) {
          sums[block(r, c)] += value;
          counts[block(r, c)]++;
        }
      }
    }
    Arrays.setAll(sums, i -> sums[i] / counts[i]);
    return sums;
  }

  private int block(int row, int column) {
    return row / rows.block * columns.places.length + column / columns.block;
  }
}
