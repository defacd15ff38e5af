package dev.lockstep.federated.client;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.Normalizer;
import java.util.List;
import java.util.Map;

/** A dataset as somebody sees it, who changes what is read. Does not own what it looks at. */
abstract class DatasetView implements Dataset {
  private final Dataset whole;

  DatasetView(Dataset whole) {
    this.whole = whole;
  }

  /** Numbers of a sample's features. */
  static int width(Dataset dataset) {
    return dataset.featureNames().size() * dataset.cells();
  }

  @Override
  public void read(long[] indices, int from, int count, double[] features, double[] targets) {
    whole.read(indices, from, count, features, targets);
    int width = width(whole);
    for (int i = 0; i < count; i++) {
      change(indices[from + i], features, i * width, width, targets, i);
    }
  }

  /**
   * Changes a sample that has been read.
   *
   * @param features from {@code first} on, {@code width} of them
   * @param targets a class is at {@code target}
   */
  abstract void change(
      long sample, double[] features, int first, int width, double[] targets, int target);

  @Override
  public long size() {
    return whole.size();
  }

  @Override
  public List<String> featureNames() {
    return whole.featureNames();
  }

  @Override
  public List<String> targetNames() {
    return whole.targetNames();
  }

  @Override
  public List<FeatureConfig> recipe() {
    return whole.recipe();
  }

  @Override
  public Map<String, String> units() {
    return whole.units();
  }

  @Override
  public int cells() {
    return whole.cells();
  }

  @Override
  public long[] featureShape() {
    return whole.featureShape();
  }

  @Override
  public long[] targetShape() {
    return whole.targetShape();
  }

  @Override
  public double[] cellWeights() {
    return whole.cellWeights();
  }

  @Override
  public double[] targetWeights() {
    return whole.targetWeights();
  }

  @Override
  public Normalizer.Pair normalizers(long[] samples, Communicator communicator) {
    return whole.normalizers(samples, communicator);
  }

  @Override
  public long point(long sample) {
    return whole.point(sample);
  }

  @Override
  public String description() {
    return whole.description();
  }

  @Override
  public void close() {}
}
