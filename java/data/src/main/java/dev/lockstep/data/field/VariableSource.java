package dev.lockstep.data.field;

import dev.lockstep.data.BlockCache;
import dev.lockstep.data.DataException;
import dev.lockstep.data.FeatureConfig.Function;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.util.ArrayList;
import java.util.List;

/** One variable of the file, at one index of each dimension that is a channel. */
final class VariableSource implements Source {
  private final String name;
  private final String key;
  private final String location;
  private final BlockCache.Values values;
  private final Function function;
  private final double period;
  private final double[] edges;
  private final long base;
  private final Grid grid;

  /** How far the position moves along each dimension that counts, and along each inside. */
  private final long[] sampleStrides;

  private final long[] cellStrides;

  private VariableSource(
      String name,
      String key,
      String location,
      BlockCache.Values values,
      Function function,
      double period,
      double[] edges,
      long base,
      Grid grid,
      long[] sampleStrides,
      long[] cellStrides) {
    this.name = name;
    this.key = key;
    this.location = location;
    this.values = values;
    this.function = function;
    this.period = period;
    this.edges = edges;
    this.base = base;
    this.grid = grid;
    this.sampleStrides = sampleStrides;
    this.cellStrides = cellStrides;
  }

  /** One source for each combination of the variable's channel indices, in C order. */
  static List<VariableSource> of(
      String name,
      String location,
      Variable variable,
      BlockCache.Values values,
      Function function,
      double period,
      List<Double> classes,
      Grid grid) {
    long[] sampleStrides = new long[grid.samples().size()];
    long[] cellStrides = new long[grid.inside().size()];
    long base = 0;
    long stride = 1;
    List<Axis> channels = new ArrayList<>();
    List<Long> channelStrides = new ArrayList<>();
    for (int d = variable.dimensions().size() - 1; d >= 0; d--) {
      Dimension dimension = variable.dimensions().get(d);
      int counted = index(grid.samples(), dimension.name());
      int inside = index(grid.inside(), dimension.name());
      if (counted >= 0) {
        sampleStrides[counted] = stride;
        base += grid.samples().get(counted).start() * stride;
      } else if (inside >= 0) {
        cellStrides[inside] = stride;
        base += grid.inside().get(inside).start() * stride;
      } else {
        channels.add(0, grid.others().get(dimension.name()));
        channelStrides.add(0, stride);
      }
      stride *= dimension.length();
    }
    List<VariableSource> sources = new ArrayList<>();
    int count = channels.stream().mapToInt(Axis::length).reduce(1, Math::multiplyExact);
    for (int c = 0; c < count; c++) {
      long offset = base;
      StringBuilder subscript = new StringBuilder();
      StringBuilder ofUsed = new StringBuilder();
      int left = c;
      for (int d = channels.size() - 1; d >= 0; d--) {
        int at = left % channels.get(d).length();
        left /= channels.get(d).length();
        offset += (channels.get(d).start() + at) * channelStrides.get(d);
        subscript.insert(0, "[" + (channels.get(d).start() + at) + "]");
        ofUsed.insert(0, "[" + at + "]");
      }
      sources.add(
          new VariableSource(
              name + subscript,
              name + ofUsed,
              location,
              values,
              function,
              period,
              classes.stream().mapToDouble(edge -> edge).toArray(),
              offset,
              grid,
              sampleStrides,
              cellStrides));
    }
    return sources;
  }

  private static int index(List<Axis> axes, String name) {
    for (int i = 0; i < axes.size(); i++) {
      if (axes.get(i).name().equals(name)) {
        return i;
      }
    }
    return -1;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String key() {
    return key;
  }

  @Override
  public boolean isOfSteps() {
    return grid.step() >= 0 && sampleStrides[grid.step()] != 0;
  }

  @Override
  public boolean isStatic() {
    for (long stride : sampleStrides) {
      if (stride != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void read(int step, int lane, double[] out, int at) {
    long position = base;
    int left = lane;
    for (int d = sampleStrides.length - 1; d >= 0; d--) {
      if (d == grid.step()) {
        position += step * sampleStrides[d];
      } else {
        int length = grid.samples().get(d).length();
        position += left % length * sampleStrides[d];
        left /= length;
      }
    }
    int cells = grid.cells();
    readInside(0, position, out, at);
    for (int i = at; i < at + cells; i++) {
      if (Double.isInfinite(out[i])) {
        throw new DataException(
            location,
            name + " is " + out[i] + " in step " + step + "; mark such values as missing");
      }
      out[i] = apply(out[i]);
    }
  }

  private double apply(double value) {
    if (edges.length > 0) {
      return Double.isNaN(value) ? value : classOf(value);
    }
    return switch (function) {
      case SINE -> Math.sin(2 * Math.PI * value / period);
      case COSINE -> Math.cos(2 * Math.PI * value / period);
      default -> value;
    };
  }

  /** How many of the edges are not above the value. */
  private int classOf(double value) {
    int number = 0;
    while (number < edges.length && edges[number] <= value) {
      number++;
    }
    return number;
  }

  /** Copies the cells of the dimensions from {@code d} on; returns the position behind them. */
  private int readInside(int d, long position, double[] out, int at) {
    if (d == cellStrides.length) {
      out[at] = values.at(position);
      return at + 1;
    }
    int length = grid.inside().get(d).length();
    if (d == cellStrides.length - 1 && cellStrides[d] == 1) {
      values.copy(position, length, out, at);
      return at + length;
    }
    for (int i = 0; i < length; i++) {
      at = readInside(d + 1, position + i * cellStrides[d], out, at);
    }
    return at;
  }
}
