package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.train.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.attack}: what some clients do, to see what an aggregation bears.
 *
 * @param type what they do
 * @param clients how many; drawn from all by the seed
 * @param scale of {@link Type#NOISE}: the standard deviation; of {@link Type#SIGN_FLIP}: the
 *     factor; of {@link Type#BACKDOOR}: the trigger's value, in the features' own units
 * @param target of {@link Type#BACKDOOR}: the class that the trigger stands for
 */
public record AttackConfig(Type type, int clients, double scale, int target) {

  /** Attacks. */
  public enum Type {
    /** The trained model with normal noise on every element. */
    @JsonProperty("noise")
    NOISE,
    /** The change turned round, times {@code scale}. */
    @JsonProperty("sign_flip")
    SIGN_FLIP,
    /** Trained with class c taken for C − 1 − c. */
    @JsonProperty("label_flip")
    LABEL_FLIP,
    /** Trained with every other sample's last three features and its class set. */
    @JsonProperty("backdoor")
    BACKDOOR,
    /** Nothing but NaN. */
    @JsonProperty("nan")
    NAN;

    /** Whether the client trains on other data than it has. */
    public boolean poisonsData() {
      return this == LABEL_FLIP || this == BACKDOOR;
    }
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public AttackConfig {
    Checks.atLeast("clients", clients, 1);
    Checks.positive("scale", scale);
    Checks.atLeast("target", target, 0);
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static AttackConfig of(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("clients") @Nullable Integer clients,
      @JsonProperty("scale") @Nullable Double scale,
      @JsonProperty("target") @Nullable Integer target) {
    Type chosen = type == null ? Type.NOISE : type;
    return new AttackConfig(
        chosen,
        clients == null ? 1 : clients,
        scale == null ? standardScale(chosen) : scale,
        target == null ? 0 : target);
  }

  private static double standardScale(Type type) {
    return switch (type) {
      case NOISE -> 0.5;
      case BACKDOOR -> 255;
      default -> 1;
    };
  }
}
