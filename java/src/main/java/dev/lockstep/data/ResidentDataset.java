package dev.lockstep.data;

import java.util.BitSet;
import java.util.List;
import java.util.Map;

/**
 * A data set that keeps every sample once it has been read, row by row, so that the epochs after
 * the first copy rows instead of collecting values from columns: a tenth of the time at 64
 * features. For data that fits in memory. Thread-safe, as its source is.
 */
final class ResidentDataset implements Dataset {
  /** Rows of one array, so that memory is taken as it is needed. */
  private static final int ROWS = 1024;

  private final Dataset source;
  private final int featureCount;
  private final int targetCount;
  private final double[][] chunks;
  private final BitSet present;
  private final double[] featureRow;
  private final double[] targetRow;
  private final long[] index = new long[1];

  private ResidentDataset(Dataset source) {
    this.source = source;
    featureCount = source.featureNames().size();
    targetCount = source.targetNames().size();
    int rows = Math.toIntExact(source.size());
    chunks = new double[(rows + ROWS - 1) / ROWS][];
    present = new BitSet(rows);
    featureRow = new double[featureCount];
    targetRow = new double[targetCount];
  }

  /** {@code source}, kept in memory if all of its rows take at most {@code bytes}. */
  static Dataset of(Dataset source, long bytes) {
    long rowBytes =
        Double.BYTES * ((long) source.featureNames().size() + source.targetNames().size());
    boolean fits = source.size() <= Math.min(bytes / rowBytes, Integer.MAX_VALUE - ROWS);
    return fits ? new ResidentDataset(source) : source;
  }

  @Override
  public synchronized void read(
      long[] indices, int from, int count, double[] features, double[] targets) {
    for (int i = 0; i < count; i++) {
      long sample = indices[from + i];
      double[] chunk = chunk(sample);
      int at = (int) (sample % ROWS) * (featureCount + targetCount);
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
    return chunks[(int) (sample / ROWS)];
  }

  private void keep(int sample) {
    int width = featureCount + targetCount;
    double[] chunk = chunks[sample / ROWS];
    if (chunk == null) {
      chunk = new double[ROWS * width];
      chunks[sample / ROWS] = chunk;
    }
    int at = sample % ROWS * width;
    System.arraycopy(featureRow, 0, chunk, at, featureCount);
    System.arraycopy(targetRow, 0, chunk, at + featureCount, targetCount);
    present.set(sample);
  }

  @Override
  public long size() {
    return source.size();
  }

  @Override
  public List<String> featureNames() {
    return source.featureNames();
  }

  @Override
  public List<FeatureConfig> recipe() {
    return source.recipe();
  }

  @Override
  public Map<String, String> units() {
    return source.units();
  }

  @Override
  public List<String> targetNames() {
    return source.targetNames();
  }

  @Override
  public long point(long sample) {
    return source.point(sample);
  }

  @Override
  public String description() {
    return source.description();
  }

  @Override
  public void close() {
    source.close();
  }
}
