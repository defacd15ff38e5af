package dev.lockstep.data;

import java.util.List;
import java.util.Map;

/** A data set that keeps the rows of another one, which it owns, and asks that for all the rest. */
abstract class DatasetCopy implements Dataset {
  final Dataset source;
  final int featureCount;
  final int targetCount;

  DatasetCopy(Dataset source) {
    this.source = source;
    featureCount = source.featureNames().size();
    targetCount = source.targetNames().size();
  }

  /** Bytes of all rows as float64. */
  static long bytes(Dataset source) {
    long columns = (long) source.featureNames().size() + source.targetNames().size();
    return Math.multiplyExact(source.size(), columns * Double.BYTES);
  }

  @Override
  public final long size() {
    return source.size();
  }

  @Override
  public final List<String> featureNames() {
    return source.featureNames();
  }

  @Override
  public final List<FeatureConfig> recipe() {
    return source.recipe();
  }

  @Override
  public final Map<String, String> units() {
    return source.units();
  }

  @Override
  public final List<String> targetNames() {
    return source.targetNames();
  }

  @Override
  public final long point(long sample) {
    return source.point(sample);
  }

  @Override
  public final String description() {
    return source.description();
  }

  @Override
  public void close() {
    source.close();
  }
}
