package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.internal.NativeGroup;
import dev.lockstep.jni.Native;

/** The k-means functions of {@code lockstep/learning.h} over arrays. */
final class NativeKMeans implements AutoCloseable {
  private final Communicator ranks;
  private final int dimension;
  private final long rows;
  private final double[] data;
  private long handle;
  private int clusters;

  NativeKMeans(Communicator ranks, Table table) {
    this.ranks = ranks;
    dimension = table.names().size();
    rows = table.rows();
    handle =
        NativeGroup.of(ranks)
            .runNative(
                group ->
                    Native.open_k_means(
                        group, rows, dimension, table.valuesAddress(), table.weightsAddress()));
    try (NativeMemory out = NativeMemory.allocate(2 * Double.BYTES)) {
      call(() -> Native.read_k_means_data(handle, out.address()));
      data = doubles(out);
    }
  }

  record Step(double cost, long changed, long repaired, double shift) {}

  long allRows() {
    return (long) data[0];
  }

  double meanVariance() {
    return data[1];
  }

  void seed(
      KMeans.Initialization how,
      int clusters,
      double oversampling,
      int rounds,
      long seed,
      KMeans.Acceleration acceleration) {
    this.clusters = clusters;
    call(
        () ->
            Native.seed_k_means(
                handle,
                how.ordinal(),
                clusters,
                oversampling,
                rounds,
                seed,
                acceleration.ordinal()));
  }

  /**
   * @param seen empty, or of each centre
   */
  void start(double[] centers, boolean scaled, long[] seen, KMeans.Acceleration acceleration) {
    clusters = centers.length / dimension;
    try (NativeMemory from = NativeMemory.allocate((long) Double.BYTES * centers.length);
        NativeMemory weights = NativeMemory.allocate((long) Long.BYTES * seen.length)) {
      from.buffer().asDoubleBuffer().put(centers);
      weights.buffer().asLongBuffer().put(seen);
      long address = seen.length == 0 ? 0 : weights.address();
      call(
          () ->
              Native.start_k_means(
                  handle, clusters, from.address(), scaled, address, acceleration.ordinal()));
    }
  }

  Step advance(long seed, long iteration, double batchShare) {
    try (NativeMemory out = NativeMemory.allocate(4 * Double.BYTES)) {
      call(() -> Native.advance_k_means(handle, seed, iteration, batchShare, out.address()));
      double[] values = doubles(out);
      return new Step(values[0], (long) values[1], (long) values[2], values[3]);
    }
  }

  double label() {
    double[] cost = new double[1];
    call(() -> cost[0] = Native.label_k_means(handle));
    return cost[0];
  }

  double silhouette(int sample, long seed) {
    double[] mean = new double[1];
    call(() -> mean[0] = Native.k_means_silhouette(handle, sample, seed));
    return mean[0];
  }

  double[] centers(boolean scaled) {
    try (NativeMemory out = NativeMemory.allocate((long) Double.BYTES * clusters * dimension)) {
      call(() -> Native.read_k_means_centres(handle, scaled, out.address()));
      return doubles(out);
    }
  }

  long[] seen() {
    try (NativeMemory out = NativeMemory.allocate((long) Long.BYTES * clusters)) {
      call(() -> Native.read_k_means_seen(handle, out.address()));
      long[] values = new long[clusters];
      out.buffer().asLongBuffer().get(values);
      return values;
    }
  }

  @Override
  public void close() {
    if (handle != 0) {
      Native.close_k_means(handle);
      handle = 0;
    }
  }

  private static double[] doubles(NativeMemory memory) {
    double[] values = new double[(int) (memory.bytes() / Double.BYTES)];
    memory.buffer().asDoubleBuffer().get(values);
    return values;
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
