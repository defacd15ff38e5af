package dev.lockstep.federated.aggregation;

import dev.lockstep.federated.config.ServerOptimizerConfig;
import java.util.Arrays;

/**
 * Steps the server's model along the clients' mean change, element by element in float64, so that
 * every rank that does so has the same bits. Not thread-safe.
 */
public final class ServerOptimizer {
  private final ServerOptimizerConfig config;

  /** The mean of Δ, and that of its squares; empty where the type has none. */
  private final double[] first;

  private final double[] second;

  /** Steps that were taken: one element, so that a checkpoint keeps it like the others. */
  private final double[] steps = new double[1];

  /**
   * @param parameters how many elements of the model are trained
   */
  public ServerOptimizer(ServerOptimizerConfig config, int parameters) {
    this.config = config;
    boolean momentum = config.type() != ServerOptimizerConfig.Type.AVERAGE;
    first = new double[momentum ? parameters : 0];
    second = new double[config.type().isAdaptive() ? parameters : 0];
    // Reddi et al. begin with v ≥ τ².
    Arrays.fill(second, config.correctBias() ? 0 : config.tau() * config.tau());
  }

  /**
   * Takes one step.
   *
   * @param model the trained elements come first; those are changed
   * @param change Δ, the clients' mean minus the model
   */
  public void step(double[] model, double[] change) {
    steps[0]++;
    double rate = rate();
    int count = config.type() == ServerOptimizerConfig.Type.AVERAGE ? change.length : first.length;
    for (int i = 0; i < count; i++) {
      double delta = change[i];
      model[i] +=
          switch (config.type()) {
            case AVERAGE -> rate * delta;
            case MOMENTUM -> {
              first[i] = config.beta1() * first[i] + delta;
              yield rate * first[i];
            }
            case ADAGRAD, ADAM, YOGI -> adaptive(i, delta, rate);
          };
    }
  }

  private double rate() {
    return config.correctBias()
        ? config.learningRate()
            * Math.sqrt(1 - StrictMath.pow(config.beta2(), steps[0]))
            / (1 - StrictMath.pow(config.beta1(), steps[0]))
        : config.learningRate();
  }

  private double adaptive(int i, double delta, double rate) {
    double square = delta * delta;
    first[i] = config.beta1() * first[i] + (1 - config.beta1()) * delta;
    second[i] =
        switch (config.type()) {
          case ADAGRAD -> second[i] + square;
          case ADAM -> config.beta2() * second[i] + (1 - config.beta2()) * square;
          default -> second[i] - (1 - config.beta2()) * square * Math.signum(second[i] - square);
        };
    return rate * first[i] / (Math.sqrt(second[i]) + config.tau());
  }

  /** Live memory of the state, for checkpoints. */
  public double[] first() {
    return first;
  }

  /** Likewise. */
  public double[] second() {
    return second;
  }

  /** Likewise: how many steps were taken, in one element. */
  public double[] steps() {
    return steps;
  }
}
