package dev.lockstep.data.field;

import dev.lockstep.data.Bound;
import dev.lockstep.data.RegionConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parts of the grid whose scores are told separately, as the cells of each lane that belong to
 * them. Immutable.
 */
public final class Regions {
  private final Grid grid;
  private final List<String> names = new ArrayList<>();
  private final List<BitSet> members = new ArrayList<>();

  /** Finds the variable of a region's mask. */
  interface Masks {
    Source of(RegionConfig region);
  }

  /**
   * Finds the cells of each region.
   *
   * @throws IllegalArgumentException naming the region that has none, or names what is not there
   */
  Regions(Grid grid, List<RegionConfig> regions, Masks masks) {
    this.grid = grid;
    for (RegionConfig region : regions) {
      names.add(region.name());
      BitSet cells = box(region);
      if (region.mask() != null) {
        cells.and(mask(masks.of(region)));
      }
      if (cells.isEmpty()) {
        throw new IllegalArgumentException("data.regions: " + region.name() + " holds no cell");
      }
      members.add(cells);
    }
  }

  private BitSet box(RegionConfig region) {
    List<Axis> axes = new ArrayList<>(grid.samples());
    if (grid.step() >= 0) {
      axes.remove(grid.step());
    }
    axes.addAll(grid.inside());
    for (String name : region.where().keySet()) {
      if (axes.stream().noneMatch(axis -> axis.name().equals(name))) {
        throw new IllegalArgumentException(
            "data.regions: "
                + region.name()
                + " has a range of "
                + name
                + ", but a place is told by "
                + axes.stream().map(Axis::name).toList());
      }
    }
    boolean[] inside = {true};
    for (Axis axis : axes) {
      @Nullable List<Bound> range = region.where().get(axis.name());
      boolean[] along = range == null ? all(axis.length()) : axis.insideAnyTurn(range);
      boolean[] longer = new boolean[Math.multiplyExact(inside.length, along.length)];
      for (int i = 0; i < longer.length; i++) {
        longer[i] = inside[i / along.length] && along[i % along.length];
      }
      inside = longer;
    }
    BitSet cells = new BitSet(inside.length);
    for (int i = 0; i < inside.length; i++) {
      cells.set(i, inside[i]);
    }
    return cells;
  }

  private static boolean[] all(int count) {
    boolean[] all = new boolean[count];
    Arrays.fill(all, true);
    return all;
  }

  private BitSet mask(Source source) {
    BitSet cells = new BitSet();
    double[] values = new double[grid.cells()];
    for (int lane = 0; lane < grid.lanes(); lane++) {
      source.read(0, lane, values, 0);
      for (int c = 0; c < values.length; c++) {
        cells.set(lane * values.length + c, values[c] >= 0.5);
      }
    }
    return cells;
  }

  /** Their names, in the configuration's order. */
  public List<String> names() {
    return List.copyOf(names);
  }

  /**
   * A sample's values with NaN outside of a region.
   *
   * @param region its place in {@link #names}
   * @param point of the sample, as {@link FieldDataset#point} gives it
   * @param values channels × cells
   */
  public double[] inside(int region, long point, double[] values) {
    int cells = grid.cells();
    int first = grid.laneOf(point) * cells;
    BitSet members = this.members.get(region);
    double[] inside = values.clone();
    for (int i = 0; i < inside.length; i++) {
      if (!members.get(first + i % cells)) {
        inside[i] = Double.NaN;
      }
    }
    return inside;
  }
}
