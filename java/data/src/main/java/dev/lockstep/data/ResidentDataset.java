package dev.lockstep.data;

import java.util.BitSet;

/**
 * A data set that keeps every sample once it has been read, row by row, so that the epochs after
 * the first copy rows instead of collecting values from columns: a tenth of the time at 64
 * features. For data that fits in memory. Thread-safe, as its source is.
 */
final class ResidentDataset extends DatasetCopy {
  private static final int MOST_ROWS = 1024;

  /** Rows of one array, so that memory is taken as it is needed. */
  private final int rows;

  private final double[][] chunks;
  private final BitSet present;
  private final double[] featureRow;
  private final double[] targetRow;
  private final long[] index = new long[1];

  private ResidentDataset(Dataset source) {
    super(source);
    int size = Math.toIntExact(source.size());
    rows = source.rowsAtOnce(MOST_ROWS);
    chunks = new double[(size - 1) / rows + 1][];
    present = new BitSet(size);
    featureRow = new double[featureCount];
    targetRow = new double[targetCount];
  }

  static boolean fits(Dataset source, long bytes) {
    return source.size() <= Integer.MAX_VALUE && bytes(source) <= bytes;
  }

  /** {@code source}, kept in memory if all of its rows take at most {@code bytes}. */
  static Dataset of(Dataset source, long bytes) {
    return fits(source, bytes) ? new ResidentDataset(source) : source;
  }

  @Override
  public synchronized void read(
      long[] indices, int from, int count, double[] features, double[] targets) {
    for (int i = 0; i < count; i++) {
      long sample = indices[from + i];
      double[] chunk = chunk(sample);
      int at = (int) (sample % rows) * (featureCount + targetCount);
      System.arraycopy(chunk, at, features, i * featureCount, featureCount);
      System.arraycopy(chunk, at + featureCount, targets, i * targetCount, targetCount);
    }
  }

  /** The array that holds the sample, which is read if it never was. */
  private double[] chunk(long sample) {
    if (sample < 0 || sample >= size() || !present.get((int) sample)) {
      index[0] = sample;
      source.read(index, 0, 1, featureRow, targetRow);
      keep((int) sample);
    }
    return chunks[(int) (sample / rows)];
  }

  private void keep(int sample) {
    int width = featureCount + targetCount;
    double[] chunk = chunks[sample / rows];
    if (chunk == null) {
      chunk = new double[rows * width];
      chunks[sample / rows] = chunk;
    }
    int at = sample % rows * width;
    System.arraycopy(featureRow, 0, chunk, at, featureCount);
    System.arraycopy(targetRow, 0, chunk, at + featureCount, targetCount);
    present.set(sample);
  }
}
