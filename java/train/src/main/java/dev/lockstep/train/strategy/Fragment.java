package dev.lockstep.train.strategy;

import dev.lockstep.comm.Work;
import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.ParameterRange;
import java.util.ArrayList;
import java.util.List;

/** A part of the parameters that takes its outer steps on its own. */
final class Fragment {
  private final List<ParameterRange> ranges;

  /** What is under way. */
  final List<Work> works = new ArrayList<>();

  /** Inner steps of the run when its last outer step was taken. */
  long appliedAt;

  /** Inner steps of the run at which what was sent is to be applied; −1 if nothing is. */
  long due = -1;

  private Fragment(List<ParameterRange> ranges) {
    this.ranges = List.copyOf(ranges);
  }

  /**
   * Cuts all elements of a layout into so many fragments of nearly equal size, at multiples of 64
   * bytes. Of a small model some may be empty.
   */
  static List<Fragment> cut(FlatLayout layout, int count) {
    List<Fragment> fragments = new ArrayList<>();
    for (int f = 0; f < count; f++) {
      List<ParameterRange> ranges = new ArrayList<>();
      for (int g = 0; g < layout.groups().size(); g++) {
        Group group = layout.groups().get(g);
        long unit = FlatLayout.ALIGNMENT / group.elementBytes();
        long units = group.count() / unit;
        long from = units * f / count * unit;
        long end = units * (f + 1) / count * unit;
        if (end > from) {
          ranges.add(new ParameterRange(g, from, end - from));
        }
      }
      fragments.add(new Fragment(ranges));
    }
    return List.copyOf(fragments);
  }

  List<ParameterRange> ranges() {
    return ranges;
  }
}
