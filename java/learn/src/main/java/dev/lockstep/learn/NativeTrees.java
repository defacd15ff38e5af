package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.internal.NativeGroup;
import dev.lockstep.jni.Native;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** The tree functions of {@code lockstep/learning.h} over arrays. */
final class NativeTrees implements AutoCloseable {
  private final Communicator ranks;
  private final int features;
  private long handle;

  NativeTrees(Communicator ranks, Table table, int maxBin, double validation, long seed) {
    this.ranks = ranks;
    features = table.names().size();
    try (NativeMemory flags = NativeMemory.allocate(features)) {
      for (int i = 0; i < features; i++) {
        flags.buffer().put(i, (byte) (table.categories().get(i).isEmpty() ? 0 : 1));
      }
      handle =
          NativeGroup.of(ranks)
              .runNative(
                  group ->
                      Native.open_trees(
                          group,
                          table.rows(),
                          features,
                          table.valuesAddress(),
                          table.targetAddress(),
                          table.weightsAddress(),
                          flags.address(),
                          maxBin,
                          validation,
                          seed));
    }
  }

  record Loss(double training, double validation) {}

  /**
   * Begins to boost.
   *
   * @param options in the order of {@code start_boosting}
   * @param monotone by feature, or empty
   */
  void startBoosting(TreeProblem problem, long seed, double[] options, List<Integer> monotone) {
    start(Native::start_boosting, problem, seed, options, monotone);
  }

  /**
   * Begins a forest.
   *
   * @param options in the order of {@code start_forest}
   * @param monotone by feature, or empty
   */
  void startForest(TreeProblem problem, long seed, double[] options, List<Integer> monotone) {
    start(Native::start_forest, problem, seed, options, monotone);
  }

  private interface Start {
    void start(long run, int objective, int classes, long seed, long options, long monotone);
  }

  private void start(
      Start start, TreeProblem problem, long seed, double[] options, List<Integer> monotone) {
    try (NativeMemory values = of(options);
        NativeMemory directions = NativeMemory.allocate((long) Integer.BYTES * features)) {
      directions
          .buffer()
          .asIntBuffer()
          .put(monotone.stream().mapToInt(Integer::intValue).toArray());
      long address = monotone.isEmpty() ? 0 : directions.address();
      int objective = problem.objective().ordinal();
      call(
          () -> start.start(handle, objective, problem.outputs(), seed, values.address(), address));
    }
  }

  /**
   * Grows a tree on each rank, but none of number {@code most} or above.
   *
   * @return how many trees there are
   */
  int growForest(int most) {
    long[] trees = new long[1];
    call(() -> trees[0] = Native.grow_forest(handle, most));
    return Math.toIntExact(trees[0]);
  }

  /** Of a forest; NaN for none. */
  record Score(double outOfBag, double validation) {}

  Score forestScore() {
    double[] values = read(2, address -> Native.measure_forest(handle, address));
    return new Score(values[0], values[1]);
  }

  /** By feature, from the first so many trees; null for a sample of no rows. */
  double @Nullable [] permutationImportance(int trees, int sample, long seed) {
    return sample == 0
        ? null
        : read(
            features,
            address -> Native.permutation_importance(handle, trees, sample, seed, address));
  }

  Loss boost(long round) {
    return loss(address -> Native.boost(handle, round, address));
  }

  Loss loss() {
    return loss(address -> Native.measure_boosting(handle, address));
  }

  double auc() {
    double[] area = new double[1];
    call(() -> area[0] = Native.boosting_auc(handle));
    return area[0];
  }

  double[] initialScores(int outputs) {
    return read(outputs, address -> Native.read_initial_scores(handle, address));
  }

  /** The numbers of {@code read_tree}. */
  double[] tree(int number) {
    long[] length = new long[1];
    call(() -> length[0] = Native.tree_length(handle, number));
    return read(
        Math.toIntExact(length[0]),
        address -> Native.read_tree(handle, number, address, length[0]));
  }

  void add(double[] tree) {
    try (NativeMemory values = of(tree)) {
      call(() -> Native.add_tree(handle, values.address(), tree.length));
    }
  }

  @Override
  public void close() {
    if (handle != 0) {
      Native.close_trees(handle);
      handle = 0;
    }
  }

  private Loss loss(LongConsumer operation) {
    double[] values = read(2, operation);
    return new Loss(values[0], values[1]);
  }

  private double[] read(int count, LongConsumer operation) {
    try (NativeMemory out = NativeMemory.allocate((long) Double.BYTES * count)) {
      call(() -> operation.accept(out.address()));
      double[] values = new double[count];
      out.buffer().asDoubleBuffer().get(values);
      return values;
    }
  }

  private static NativeMemory of(double[] values) {
    NativeMemory memory = NativeMemory.allocate((long) Double.BYTES * values.length);
    memory.buffer().asDoubleBuffer().put(values);
    return memory;
  }

  /** Through the communicator, which knows what native errors mean. */
  private void call(Runnable operation) {
    NativeGroup.of(ranks)
        .runNative(
            group -> {
              operation.run();
              return 0;
            });
  }
}
