package dev.lockstep.data;

import dev.lockstep.data.Variable.Dimension;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A made-up regression problem whose every value follows from the seed and the sample's index
 * alone, so that any number of samples needs no memory and every rank makes the same ones.
 *
 * <p>Features are uniform in [−√3, √3): mean 0, variance 1. With unit vectors a and b drawn for
 * each target, the signal is {@code sin(2 a·x) + (a·x)(b·x)}, and normal noise is added.
 */
final class SyntheticData implements ArrayFile {
  private static final int BLOCK_VALUES = 1024;
  private static final double HALF_WIDTH = Math.sqrt(3);

  private final SyntheticConfig config;
  private final List<Variable> variables = new ArrayList<>();
  private final double[][] inside;
  private final double[][] product;

  SyntheticData(SyntheticConfig config) {
    this.config = config;
    List<Dimension> rows = List.of(new Dimension(SAMPLES, config.samples()));
    List<String> names = new ArrayList<>(config.featureNames());
    names.addAll(config.targetNames());
    names.forEach(name -> variables.add(new Variable(name, "double", rows, Map.of())));
    SplitMix64 random = new SplitMix64(SplitMix64.streamSeed(config.seed(), 0));
    inside = new double[config.targets()][];
    product = new double[config.targets()][];
    for (int t = 0; t < config.targets(); t++) {
      inside[t] = unitVector(random);
      product[t] = unitVector(random);
    }
  }

  private double[] unitVector(SplitMix64 random) {
    double[] vector = new double[config.features()];
    double squares = 0;
    for (int i = 0; i < vector.length; i++) {
      vector[i] = random.nextGaussian();
      squares += vector[i] * vector[i];
    }
    for (int i = 0; i < vector.length; i++) {
      vector[i] /= Math.sqrt(squares);
    }
    return vector;
  }

  @Override
  public String location() {
    return "<synthetic data>";
  }

  @Override
  public String format() {
    return "seed " + config.seed();
  }

  @Override
  public List<Variable> variables() {
    return List.copyOf(variables);
  }

  @Override
  public int blockLength(Variable variable) {
    return BLOCK_VALUES;
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    int column = variables.indexOf(variable);
    double[] x = new double[config.features()];
    for (int i = 0; i < count; i++) {
      long sample = from + i;
      values[i] =
          column < x.length ? feature(sample, column) : target(sample, column - x.length, x);
    }
  }

  private double feature(long sample, int column) {
    long stream = sample * (config.features() + config.targets()) + column;
    double uniform = new SplitMix64(SplitMix64.streamSeed(config.seed() + 1, stream)).nextDouble();
    return (2 * uniform - 1) * HALF_WIDTH;
  }

  private double target(long sample, int column, double[] x) {
    double along = 0;
    double across = 0;
    for (int i = 0; i < x.length; i++) {
      x[i] = feature(sample, i);
      along += inside[column][i] * x[i];
      across += product[column][i] * x[i];
    }
    long stream = sample * (config.features() + config.targets()) + config.features() + column;
    SplitMix64 noise = new SplitMix64(SplitMix64.streamSeed(config.seed() + 1, stream));
    return StrictMath.sin(2 * along) + along * across + config.noise() * noise.nextGaussian();
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
