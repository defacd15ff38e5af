package dev.lockstep.data.field;

import dev.lockstep.data.Missing;
import dev.lockstep.data.PointSet;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds the samples that can be used: whose steps all exist and are not missing. */
final class Completeness {
  private final Grid grid;
  private final Missing missing;
  private final double[] values;

  /** By source and step × lane: where any, or every, cell is missing. */
  private record Gaps(BitSet any, BitSet all) {}

  private final Map<Source, Gaps> gaps = new HashMap<>();

  Completeness(Grid grid, Missing missing) {
    this.grid = grid;
    this.missing = missing;
    values = new double[grid.cells()];
  }

  PointSet points(List<Channel> features, List<Channel> targets) {
    long points = (long) grid.steps() * grid.lanes();
    PointSet kept = new PointSet(points);
    for (long point = 0; point < points; point++) {
      int step = grid.stepOf(point);
      int lane = grid.laneOf(point);
      boolean usable = exist(features, step) && exist(targets, step);
      if (usable && missing == Missing.DROP) {
        usable = complete(features, step, lane) && complete(targets, step, lane);
      } else if (usable) {
        usable = targets.isEmpty() || anyKnown(targets, step, lane);
      }
      if (usable) {
        kept.add(point);
      }
    }
    return kept.seal();
  }

  private boolean exist(List<Channel> channels, int step) {
    return channels.stream()
        .allMatch(
            channel ->
                channel.source().isStatic()
                    || (step + channel.first() >= 0 && step + channel.last() < grid.steps()));
  }

  private boolean complete(List<Channel> channels, int step, int lane) {
    for (Channel channel : channels) {
      for (int s = channel.first(); s <= channel.last(); s++) {
        if (gaps(channel.source()).any().get(index(channel, step + s, lane))) {
          return false;
        }
      }
    }
    return true;
  }

  private boolean anyKnown(List<Channel> targets, int step, int lane) {
    return targets.stream()
        .anyMatch(
            target -> !gaps(target.source()).all().get(index(target, step + target.last(), lane)));
  }

  private int index(Channel channel, int step, int lane) {
    return channel.source().isStatic() ? 0 : step * grid.lanes() + lane;
  }

  private Gaps gaps(Source source) {
    Gaps known = gaps.get(source);
    if (known == null) {
      known = look(source);
      gaps.put(source, known);
    }
    return known;
  }

  private Gaps look(Source source) {
    Gaps found = new Gaps(new BitSet(), new BitSet());
    int steps = source.isStatic() ? 1 : grid.steps();
    int lanes = source.isStatic() ? 1 : grid.lanes();
    for (int step = 0; step < steps; step++) {
      for (int lane = 0; lane < lanes; lane++) {
        source.read(step, lane, values, 0);
        int count = 0;
        for (double value : values) {
          count += Double.isNaN(value) ? 1 : 0;
        }
        int at = step * lanes + lane;
        found.any().set(at, count > 0);
        found.all().set(at, count == values.length);
      }
    }
    return found;
  }
}
