package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import org.jspecify.annotations.Nullable;

/**
 * The {@code optimizer} section of a configuration. Names and meaning are those of {@code
 * torch.optim}.
 *
 * @param type which optimiser
 * @param learningRate before the schedule, above 0
 * @param momentum of SGD, in [0, 1)
 * @param nesterov whether SGD's momentum is Nesterov's; needs momentum, and no dampening
 * @param dampening of SGD's momentum, in [0, 1)
 * @param weightDecay at least 0; an L2 penalty, for AdamW decoupled from the gradient
 * @param beta1 of Adam's first moment, in [0, 1)
 * @param beta2 of Adam's second moment, in [0, 1)
 * @param epsilon added to Adam's denominator, above 0
 */
public record OptimizerConfig(
    Type type,
    double learningRate,
    double momentum,
    boolean nesterov,
    double dampening,
    double weightDecay,
    double beta1,
    double beta2,
    double epsilon) {

  /** Optimisers. */
  public enum Type {
    /** Stochastic gradient descent, with momentum if asked for. */
    @JsonProperty("sgd")
    SGD,
    /** Kingma and Ba (2015). */
    @JsonProperty("adam")
    ADAM,
    /** Adam with decoupled weight decay, Loshchilov and Hutter (2019). */
    @JsonProperty("adamw")
    ADAMW
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public OptimizerConfig {
    Checks.positive("learning_rate", learningRate);
    Checks.fraction("momentum", momentum);
    Checks.fraction("dampening", dampening);
    Checks.notNegative("weight_decay", weightDecay);
    Checks.fraction("beta1", beta1);
    Checks.fraction("beta2", beta2);
    Checks.positive("epsilon", epsilon);
    if (nesterov && (momentum == 0 || dampening != 0)) {
      throw new ConfigKeyException(
          "nesterov",
          "needs a momentum above 0 and a dampening of 0, not momentum "
              + momentum
              + " and dampening "
              + dampening
              + ".");
    }
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static OptimizerConfig of(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("learning_rate") @Nullable Double learningRate,
      @JsonProperty("momentum") @Nullable Double momentum,
      @JsonProperty("nesterov") @Nullable Boolean nesterov,
      @JsonProperty("dampening") @Nullable Double dampening,
      @JsonProperty("weight_decay") @Nullable Double weightDecay,
      @JsonProperty("beta1") @Nullable Double beta1,
      @JsonProperty("beta2") @Nullable Double beta2,
      @JsonProperty("epsilon") @Nullable Double epsilon) {
    return new OptimizerConfig(
        type == null ? Type.ADAM : type,
        learningRate == null ? 1e-3 : learningRate,
        momentum == null ? 0 : momentum,
        nesterov != null && nesterov,
        dampening == null ? 0 : dampening,
        weightDecay == null ? 0 : weightDecay,
        beta1 == null ? 0.9 : beta1,
        beta2 == null ? 0.999 : beta2,
        epsilon == null ? 1e-8 : epsilon);
  }

  /** Adam with a learning rate of 0.001. */
  public static OptimizerConfig defaults() {
    return of(null, null, null, null, null, null, null, null, null);
  }
}
