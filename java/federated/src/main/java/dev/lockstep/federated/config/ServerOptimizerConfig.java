package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.server_optimizer}: how the server steps along the clients' mean change
 * Δ.
 *
 * @param type which
 * @param learningRate of the server, above 0; 1 for {@code average} and {@code momentum}, 0.01 for
 *     the adaptive ones if left out
 * @param beta1 of the mean of Δ, in [0, 1): the momentum; 0.9 if left out
 * @param beta2 of the mean of Δ², in [0, 1)
 * @param tau the adaptivity, above 0: the smaller, the more steps are alike in all coordinates
 * @param correctBias of {@link Type#ADAM}: whether v begins as 0 instead of τ² and the t-th rate is
 *     η √(1 − β₂ᵗ) ÷ (1 − β₁ᵗ), as in Kingma and Ba 2015
 */
public record ServerOptimizerConfig(
    Type type, double learningRate, double beta1, double beta2, double tau, boolean correctBias) {

  /** Server optimisers. */
  public enum Type {
    /** w ← w + η Δ. */
    @JsonProperty("average")
    AVERAGE,
    /** FedAvgM (Hsu, Qi and Brown 2019): m ← β₁ m + Δ, w ← w + η m. */
    @JsonProperty("momentum")
    MOMENTUM,
    /** FedAdagrad (Reddi et al. 2021, algorithm 2): v ← v + Δ². */
    @JsonProperty("adagrad")
    ADAGRAD,
    /**
     * FedAdam (there): v ← β₂ v + (1 − β₂) Δ², without a correction of the bias unless {@code
     * correct_bias}.
     */
    @JsonProperty("adam")
    ADAM,
    /** FedYogi (there): v ← v − (1 − β₂) Δ² sign(v − Δ²). */
    @JsonProperty("yogi")
    YOGI;

    /** Whether it keeps a mean of squares. */
    public boolean isAdaptive() {
      return compareTo(MOMENTUM) > 0;
    }
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public ServerOptimizerConfig {
    Checks.positive("learning_rate", learningRate);
    Checks.fraction("beta1", beta1);
    Checks.fraction("beta2", beta2);
    Checks.positive("tau", tau);
    if (correctBias && type != Type.ADAM) {
      throw new ConfigKeyException("correct_bias", "is of adam; leave it out with " + type);
    }
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static ServerOptimizerConfig of(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("learning_rate") @Nullable Double learningRate,
      @JsonProperty("beta1") @Nullable Double beta1,
      @JsonProperty("beta2") @Nullable Double beta2,
      @JsonProperty("tau") @Nullable Double tau,
      @JsonProperty("correct_bias") @Nullable Boolean correctBias) {
    Type chosen = type == null ? Type.AVERAGE : type;
    return new ServerOptimizerConfig(
        chosen,
        learningRate == null ? (chosen.isAdaptive() ? 0.01 : 1) : learningRate,
        beta1 == null ? 0.9 : beta1,
        beta2 == null ? 0.99 : beta2,
        tau == null ? 1e-3 : tau,
        correctBias != null && correctBias);
  }

  /** The plain average. */
  public static ServerOptimizerConfig defaults() {
    return of(null, null, null, null, null, null);
  }
}
