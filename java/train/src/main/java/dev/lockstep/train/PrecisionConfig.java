package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * In what training computes (Micikevicius et al. 2018, "Mixed precision training"). In YAML either
 * the type alone, as in {@code precision: bf16}, or keys, as in {@code precision: {type: fp16,
 * growth_interval: 500}}. Parameters, gradients, the optimiser's state, losses and scores stay
 * float32.
 *
 * @param type of the products of forward and backward passes
 * @param initialScale of {@code fp16}: what losses are multiplied by at first, at least 1, so that
 *     small gradients are not rounded to 0. It halves, and the step is left out, where gradients
 *     overflow
 * @param growthInterval of {@code fp16}: after so many steps without an overflow the scale doubles,
 *     at least 1
 */
public record PrecisionConfig(Type type, double initialScale, int growthInterval) {
  /** What the products of forward and backward passes are computed in. */
  public enum Type {
    /** The type of the model's parameters. */
    @JsonProperty("float32")
    FLOAT32,
    /** Bfloat16: 8 bits of precision and the range of float32, so that losses need no scale. */
    @JsonProperty("bf16")
    BF16,
    /** IEEE half precision: 11 bits, up to 65504. */
    @JsonProperty("fp16")
    FP16,
    /**
     * Times a forward and backward pass of the model in float32 and in bf16 at the beginning, and
     * takes bf16 where that saves at least a twentieth
     */
    @JsonProperty("auto")
    AUTO
  }

  // The defaults of torch.amp.GradScaler.
  private static final double INITIAL_SCALE = 65536;
  private static final int GROWTH_INTERVAL = 2000;

  /**
   * Checks the ranges, and that only {@code fp16} has a scale.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public PrecisionConfig {
    if (!(initialScale >= 1 && initialScale <= Float.MAX_VALUE)) {
      throw new ConfigKeyException(
          "initial_scale", "must be at least 1, not " + initialScale + ".");
    }
    Checks.atLeast("growth_interval", growthInterval, 1);
    if (type != Type.FP16) {
      requireDefault("initial_scale", initialScale == INITIAL_SCALE, type);
      requireDefault("growth_interval", growthInterval == GROWTH_INTERVAL, type);
    }
  }

  private static void requireDefault(String key, boolean holds, Type type) {
    if (!holds) {
      throw new ConfigKeyException(
          key,
          "is of type fp16 alone, and the type is "
              + name(type)
              + "; set type: fp16, or leave "
              + key
              + " out.");
    }
  }

  /** From a type's name alone. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static PrecisionConfig of(String type) {
    return Arrays.stream(Type.values())
        .filter(any -> name(any).equals(type))
        .findFirst()
        .map(PrecisionConfig::of)
        .orElseThrow(
            () ->
                new ConfigKeyException(
                    "type",
                    "must be one of "
                        + Arrays.stream(Type.values())
                            .map(PrecisionConfig::name)
                            .collect(Collectors.joining(", "))
                        + ", not "
                        + type
                        + "."));
  }

  private static String name(Type type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator(mode = JsonCreator.Mode.PROPERTIES)
  static PrecisionConfig fromYaml(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("initial_scale") @Nullable Double initialScale,
      @JsonProperty("growth_interval") @Nullable Integer growthInterval) {
    return new PrecisionConfig(
        type == null ? Type.FLOAT32 : type,
        initialScale == null ? INITIAL_SCALE : initialScale,
        growthInterval == null ? GROWTH_INTERVAL : growthInterval);
  }

  /** Of a type, with the defaults of its other keys: those of {@code torch.amp.GradScaler}. */
  public static PrecisionConfig of(Type type) {
    return fromYaml(type, null, null);
  }

  /** Everything in the type of the model's parameters. */
  public static PrecisionConfig float32() {
    return of(Type.FLOAT32);
  }

  /** The same with another scale of losses, which doubles after so many steps. */
  public PrecisionConfig withScale(double initial, int steps) {
    return new PrecisionConfig(type, initial, steps);
  }

  /** The type's name in a file. */
  public String typeName() {
    return name(type);
  }
}
