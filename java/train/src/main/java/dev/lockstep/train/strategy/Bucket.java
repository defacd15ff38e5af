package dev.lockstep.train.strategy;

import dev.lockstep.train.memory.FlatLayout;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.ParameterRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Neighbouring gradients that are reduced in one operation.
 *
 * @param group index of their flat buffer
 * @param from first element; negative where the header goes with them
 * @param count elements
 * @param parameters indices of the parameters
 */
record Bucket(int group, long from, long count, List<Integer> parameters) {

  /**
   * Cuts a layout into buckets, last parameters first, because backward reaches those first (Li et
   * al. 2020, "PyTorch Distributed", section 3.2.3). A bucket is full when it has reached its size.
   *
   * @param firstBytes size of the first, which should be small so that communication begins early
   * @param bytes size of the others
   * @return in the order in which they are reduced, on every rank alike; the last holds the first
   *     group's first parameter and its header, with the control words
   */
  static List<Bucket> plan(FlatLayout layout, long firstBytes, long bytes) {
    return plan(layout, firstBytes, bytes, parameter -> "");
  }

  /**
   * As the other, with parameters of one kind in a bucket.
   *
   * @param kind of a parameter, by its index
   */
  static List<Bucket> plan(
      FlatLayout layout, long firstBytes, long bytes, IntFunction<Object> kind) {
    List<Bucket> buckets = new ArrayList<>();
    List<List<Integer>> open = new ArrayList<>();
    long[] filled = new long[layout.groups().size()];
    layout.groups().forEach(group -> open.add(new ArrayList<>()));
    for (int i = layout.slots().size() - 1; i >= 0; i--) {
      Slot slot = layout.slots().get(i);
      List<Integer> neighbours = open.get(slot.group());
      if (!neighbours.isEmpty() && !kind.apply(neighbours.get(0)).equals(kind.apply(i))) {
        buckets.add(of(layout, neighbours));
        neighbours.clear();
        filled[slot.group()] = 0;
      }
      neighbours.add(i);
      filled[slot.group()] += slot.count() * layout.groups().get(slot.group()).elementBytes();
      if (filled[slot.group()] >= (buckets.isEmpty() ? firstBytes : bytes)) {
        buckets.add(of(layout, neighbours));
        neighbours.clear();
        filled[slot.group()] = 0;
      }
    }
    for (List<Integer> rest : open) {
      if (!rest.isEmpty()) {
        buckets.add(of(layout, rest));
      }
    }
    // Last, so that all is known that the control words say when they leave.
    Bucket withWords =
        buckets.stream().filter(bucket -> bucket.from() < 0).findFirst().orElseThrow();
    buckets.remove(withWords);
    buckets.add(withWords);
    return Collections.unmodifiableList(buckets);
  }

  /** Its gradients, without the header. */
  ParameterRange range() {
    long first = Math.max(0, from);
    return new ParameterRange(group, first, from + count - first);
  }

  private static Bucket of(FlatLayout layout, List<Integer> lastFirst) {
    Slot last = layout.slots().get(lastFirst.get(0));
    int lowest = lastFirst.get(lastFirst.size() - 1);
    int group = last.group();
    long from = lowest == 0 ? -layout.headerElements(group) : layout.slots().get(lowest).offset();
    return new Bucket(group, from, last.offset() + last.count() - from, List.copyOf(lastFirst));
  }

  /** For each parameter, the index of its bucket. */
  static int[] bucketOfParameter(List<Bucket> buckets, FlatLayout layout) {
    int[] bucketOf = new int[layout.slots().size()];
    Arrays.fill(bucketOf, -1);
    for (int b = 0; b < buckets.size(); b++) {
      for (int parameter : buckets.get(b).parameters()) {
        bucketOf[parameter] = b;
      }
    }
    return bucketOf;
  }
}
