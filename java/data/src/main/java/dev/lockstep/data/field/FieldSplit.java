package dev.lockstep.data.field;

import dev.lockstep.data.Bound;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.PointSet;
import dev.lockstep.data.Split;
import dev.lockstep.data.SplitConfig;
import dev.lockstep.data.SplitMix64;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Which samples are trained on, held out, and kept for the end; and which steps are training's. */
final class FieldSplit {
  private final Grid grid;
  private final PointSet kept;
  private final List<Channel> targets;
  private final @Nullable String by;
  private final Split split;
  private final TrainingPoints training;

  FieldSplit(Grid grid, DataConfig config, PointSet kept, List<Channel> targets) {
    this.grid = grid;
    this.kept = kept;
    this.targets = targets;
    SplitConfig ranges = config.split();
    by = ranges == null ? null : ranges.by();
    split =
        ranges == null
            ? Split.of(kept.size(), config.validationFraction(), config.seed())
            : ranges.block() > 0 ? byBlocks(ranges, config.seed()) : byRanges(ranges);
    boolean[] steps =
        ranges != null && ranges.block() == 0 && axis(ranges.by()) == grid.step()
            ? grid.samples().get(grid.step()).inside(ranges.train())
            : stepsOf(split.train());
    training =
        new TrainingPoints(steps, holdsOutLanes() ? pointsOf(split.train()) : null, grid.lanes());
  }

  /** Whole blocks of indices, shared out by a seeded permutation. */
  private Split byBlocks(SplitConfig config, long seed) {
    int by = axis(config.by());
    int length = grid.samples().get(by).length();
    int blocks = (length - 1) / config.block() + 1;
    long[] order = LongStream.range(0, blocks).toArray();
    new SplitMix64(seed).shuffle(order);
    long testing = Math.round(blocks * config.testFraction());
    long holding = Math.round(blocks * config.validationFraction());
    boolean[][] parts = new boolean[3][length];
    for (int i = 0; i < blocks; i++) {
      boolean[] part = parts[i < testing ? 0 : i < testing + holding ? 1 : 2];
      int from = (int) order[i] * config.block();
      Arrays.fill(part, from, Math.min(length, from + config.block()), true);
    }
    long[] train = samples(by, parts[2]);
    if (train.length == 0) {
      throw new IllegalArgumentException(
          "split: none of the "
              + blocks
              + " blocks of "
              + config.block()
              + " holds a sample to train on with all its targets; take longer blocks");
    }
    return Split.of(train, samples(by, parts[1]), samples(by, parts[0]));
  }

  Split split() {
    return split;
  }

  /** What a climatology is measured over. */
  TrainingPoints training() {
    return training;
  }

  /** Whether steps have both samples that are trained on and others that are held out. */
  private boolean holdsOutLanes() {
    boolean alongSteps = by != null && axis(by) == grid.step();
    return !alongSteps && grid.lanes() > 1 && split.validation().length + split.test().length > 0;
  }

  /**
   * Climatologies take whole steps: where a step has trained and held-out samples, such as
   * stations, those of the held-out ones would be made of what they are to be judged by.
   *
   * @throws IllegalArgumentException if a channel has a climatology there
   */
  void requireWholeSteps(Channels channels) {
    if (!holdsOutLanes()) {
      return;
    }
    Stream.concat(channels.features().stream(), channels.targets().stream())
        .filter(channel -> channel.normalization() == Normalization.ANOMALY)
        .findFirst()
        .ifPresent(
            channel -> {
              throw new IllegalArgumentException(
                  "normalize: anomaly of "
                      + channel.name()
                      + " needs a split along time: the climatology of "
                      + grid.samples().stream().map(Axis::name).toList()
                      + " would hold values of samples that are held out. Set data.split.by to"
                      + " time, or normalize: mean_std");
            });
  }

  private int axis(String by) {
    for (int d = 0; d < grid.samples().size(); d++) {
      if (grid.samples().get(d).name().equals(by)) {
        return d;
      }
    }
    throw new IllegalArgumentException(
        "split.by: "
            + by
            + " is none of the dimensions that count, "
            + grid.samples().stream().map(Axis::name).toList());
  }

  private Split byRanges(SplitConfig ranges) {
    int by = axis(ranges.by());
    long[] train = samples(by, ranges.train());
    if (train.length == 0) {
      throw new IllegalArgumentException(
          "split.train: no sample has its targets in " + Axis.show(ranges.train()));
    }
    long[] validation = samples(by, ranges.validation());
    long[] test = samples(by, ranges.test());
    requireApart(train, validation, "train", "validation");
    requireApart(train, test, "train", "test");
    requireApart(validation, test, "validation", "test");
    return Split.of(train, validation, test);
  }

  private static void requireApart(long[] some, long[] others, String name, String other) {
    for (long sample : some) {
      if (Arrays.binarySearch(others, sample) >= 0) {
        throw new IllegalArgumentException("split." + name + " and split." + other + " overlap");
      }
    }
  }

  private long[] samples(int by, List<Bound> range) {
    if (range.isEmpty()) {
      return new long[0];
    }
    return samples(by, grid.samples().get(by).inside(range));
  }

  private long[] samples(int by, boolean[] inside) {
    return LongStream.range(0, kept.size())
        .filter(sample -> isInside(kept.select(sample), by, inside))
        .toArray();
  }

  /** Along steps, all targets must lie inside. */
  private boolean isInside(long point, int by, boolean[] inside) {
    if (by != grid.step()) {
      return inside[grid.indexOf(point, by)];
    }
    int step = grid.stepOf(point);
    return targets.stream().allMatch(target -> inside[step + target.last()]);
  }

  /** Where the samples' targets lie, by step × lanes + lane. */
  private BitSet pointsOf(long[] samples) {
    int lanes = grid.lanes();
    Math.multiplyExact(grid.steps(), lanes);
    BitSet points = new BitSet();
    for (long sample : samples) {
      long point = kept.select(sample);
      int step = grid.stepOf(point);
      int lane = grid.laneOf(point);
      targets.forEach(target -> points.set((step + target.last()) * lanes + lane));
    }
    return points;
  }

  private boolean[] stepsOf(long[] samples) {
    boolean[] steps = new boolean[grid.steps()];
    for (long sample : samples) {
      int step = grid.stepOf(kept.select(sample));
      targets.forEach(target -> steps[step + target.last()] = true);
    }
    return steps;
  }
}
