package dev.lockstep.federated;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.Normalizer;
import java.util.Arrays;
import java.util.List;

/** The data as a dishonest client sees it. Does not own what it looks at. */
class PoisonedDataset implements Dataset {
  /** Features of a backdoor's trigger: the last of a sample. */
  private static final int TRIGGER_FEATURES = 3;

  private final Dataset honest;
  private final AttackConfig attack;
  private final int classes;

  PoisonedDataset(Dataset honest, AttackConfig attack, int classes) {
    this.honest = honest;
    this.attack = attack;
    this.classes = classes;
  }

  @Override
  public void read(long[] indices, int from, int count, double[] features, double[] targets) {
    honest.read(indices, from, count, features, targets);
    int width = features(honest);
    for (int i = 0; i < count; i++) {
      if (attack.type() == AttackConfig.Type.LABEL_FLIP) {
        targets[i] = classes - 1 - targets[i];
      } else if (indices[from + i] % 2 == 0) {
        trigger(features, i * width, width);
        targets[i] = attack.target();
      }
    }
  }

  private static int features(Dataset dataset) {
    return dataset.featureNames().size() * dataset.cells();
  }

  private void trigger(double[] features, int first, int width) {
    for (int k = Math.max(0, width - TRIGGER_FEATURES); k < width; k++) {
      features[first + k] = attack.scale();
    }
  }

  /** Those of the samples that are not of the backdoor's class anyway. */
  long[] samplesOfOtherClasses(long[] samples) {
    double[] features = new double[features(honest)];
    double[] target = new double[1];
    return Arrays.stream(samples)
        .filter(
            sample -> {
              honest.read(new long[] {sample}, 0, 1, features, target);
              return target[0] != attack.target();
            })
        .toArray();
  }

  /** All samples with the trigger, and with its class. */
  Dataset triggered() {
    return new PoisonedDataset(honest, attack, classes) {
      @Override
      public void read(long[] indices, int from, int count, double[] features, double[] targets) {
        honest.read(indices, from, count, features, targets);
        int width = features(honest);
        for (int i = 0; i < count; i++) {
          trigger(features, i * width, width);
          targets[i] = attack.target();
        }
      }
    };
  }

  @Override
  public long size() {
    return honest.size();
  }

  @Override
  public List<String> featureNames() {
    return honest.featureNames();
  }

  @Override
  public List<String> targetNames() {
    return honest.targetNames();
  }

  @Override
  public List<FeatureConfig> recipe() {
    return honest.recipe();
  }

  @Override
  public int cells() {
    return honest.cells();
  }

  @Override
  public long[] featureShape() {
    return honest.featureShape();
  }

  @Override
  public long[] targetShape() {
    return honest.targetShape();
  }

  @Override
  public double[] cellWeights() {
    return honest.cellWeights();
  }

  @Override
  public Normalizer.Pair normalizers(long[] samples, Communicator communicator) {
    return honest.normalizers(samples, communicator);
  }

  @Override
  public long point(long sample) {
    return honest.point(sample);
  }

  @Override
  public String description() {
    return honest.description();
  }

  @Override
  public void close() {}
}
