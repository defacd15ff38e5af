package dev.lockstep.train;

import dev.lockstep.data.Dataset;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Samples in memory. */
record ArrayDataset(double[][] features, double[][] targets) implements Dataset {

  /** A smooth problem of 4 features and 2 targets, in units far from 0 and 1. */
  static ArrayDataset smooth(int samples) {
    Random random = new Random(7);
    double[][] features = new double[samples][4];
    double[][] targets = new double[samples][2];
    for (int i = 0; i < samples; i++) {
      for (int c = 0; c < 4; c++) {
        features[i][c] = 10 + 3 * random.nextGaussian();
      }
      double[] x = features[i];
      targets[i][0] = 200 + 5 * Math.sin(x[0] / 3) * x[1];
      targets[i][1] = -3 + 0.1 * x[2] * x[3];
    }
    return new ArrayDataset(features, targets);
  }

  /** Two classes that a line separates. */
  static ArrayDataset twoClasses(int samples) {
    ArrayDataset smooth = smooth(samples);
    double[][] classes = new double[samples][1];
    for (int i = 0; i < samples; i++) {
      classes[i][0] = smooth.features[i][0] > smooth.features[i][1] ? 1 : 0;
    }
    return new ArrayDataset(smooth.features, classes);
  }

  @Override
  public long size() {
    return features.length;
  }

  @Override
  public List<String> featureNames() {
    return IntStream.range(0, features[0].length).mapToObj(i -> "x" + i).toList();
  }

  @Override
  public List<String> targetNames() {
    return IntStream.range(0, targets[0].length).mapToObj(i -> "y" + i).toList();
  }

  @Override
  public void read(long[] indices, int from, int count, double[] into, double[] intoTargets) {
    for (int i = 0; i < count; i++) {
      int sample = (int) indices[from + i];
      System.arraycopy(features[sample], 0, into, i * features[0].length, features[0].length);
      System.arraycopy(targets[sample], 0, intoTargets, i * targets[0].length, targets[0].length);
    }
  }

  @Override
  public long point(long sample) {
    return sample;
  }

  @Override
  public String description() {
    return "samples in memory";
  }

  @Override
  public void close() {}
}
