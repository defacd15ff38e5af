package dev.lockstep.train.compression;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.Checks;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How gradients are made smaller before they are summed over the ranks. In YAML either the type
 * alone, as in {@code compression: int8}, or keys, as in {@code compression: {type: top_k, density:
 * 0.001}}. Gradients of float32 are compressed, those of other types sent as they are.
 *
 * @param type what is sent instead of the gradients
 * @param errorFeedback whether each rank keeps what compression took from its gradients and adds it
 *     to those of the next step; without it {@code one_bit} and {@code top_k} end at a worse model
 * @param stochastic of {@code int8}: whether values are rounded up or down at random, so that the
 *     expectation is the value, and not to the nearest
 * @param density of {@code top_k}: the part of the elements that is sent, above 0, at most 1
 * @param momentum of {@code top_k}: momentum that each rank applies to its own gradients before it
 *     selects, in [0, 1), instead of the optimiser's (momentum correction)
 * @param warmUpSteps of {@code top_k}: steps in which the density falls from a quarter to {@code
 *     density}, exponentially; at least 0
 * @param rank of {@code power_sgd}: of the matrices that stand for a gradient, at least 1
 * @param minSaving of {@code power_sgd}: matrices that would not shrink at least by this factor are
 *     sent as they are; at least 0
 */
public record CompressionConfig(
    Type type,
    boolean errorFeedback,
    boolean stochastic,
    double density,
    double momentum,
    int warmUpSteps,
    int rank,
    double minSaving) {
  /** What is sent instead of the gradients. */
  public enum Type {
    /** The gradients. */
    @JsonProperty("none")
    NONE,
    /** Bfloat16, half the bytes. */
    @JsonProperty("bf16")
    BF16,
    /** IEEE half precision, half the bytes; more digits than {@code bf16} from 6e-5 to 65504. */
    @JsonProperty("fp16")
    FP16,
    /** 8-bit integers with a scale for each 256, a quarter of the bytes. */
    @JsonProperty("int8")
    INT8,
    /** Signs with the mean magnitude of each 256, a 28th of the bytes (Karimireddy et al. 2019). */
    @JsonProperty("one_bit")
    ONE_BIT,
    /**
     * The elements of largest magnitude of each bucket, with their places (Lin et al. 2018, "Deep
     * gradient compression"); the bytes grow with the number of ranks.
     */
    @JsonProperty("top_k")
    TOP_K,
    /** Matrices of low rank (Vogels et al. 2019, "PowerSGD"), vectors as they are. */
    @JsonProperty("power_sgd")
    POWER_SGD,
    /**
     * Tries {@code none}, {@code bf16}, {@code int8} and {@code power_sgd} in the first steps and
     * stays with the fastest; with {@code none} where the others save less than a twentieth
     */
    @JsonProperty("auto")
    AUTO
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public CompressionConfig {
    if (!(density > 0 && density <= 1)) {
      throw new ConfigKeyException(
          "density", "must be above 0 and at most 1, not " + density + ".");
    }
    Checks.fraction("momentum", momentum);
    Checks.atLeast("warm_up_steps", warmUpSteps, 0);
    Checks.atLeast("rank", rank, 1);
    Checks.notNegative("min_saving", minSaving);
  }

  /** From a type's name alone. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static CompressionConfig of(String type) {
    return of(
        Arrays.stream(Type.values())
            .filter(any -> name(any).equals(type.replace('-', '_')))
            .findFirst()
            .orElseThrow(
                () ->
                    new ConfigKeyException(
                        "type",
                        "must be one of "
                            + Arrays.stream(Type.values())
                                .map(CompressionConfig::name)
                                .collect(Collectors.joining(", "))
                            + ", not "
                            + type
                            + ".")));
  }

  private static String name(Type type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  /** Of a type, with the defaults of its other keys. */
  public static CompressionConfig of(Type type) {
    return fromYaml(type, null, null, null, null, null, null, null);
  }

  /** Gradients as they are. */
  public static CompressionConfig none() {
    return of(Type.NONE);
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator(mode = JsonCreator.Mode.PROPERTIES)
  static CompressionConfig fromYaml(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("error_feedback") @Nullable Boolean errorFeedback,
      @JsonProperty("stochastic") @Nullable Boolean stochastic,
      @JsonProperty("density") @Nullable Double density,
      @JsonProperty("momentum") @Nullable Double momentum,
      @JsonProperty("warm_up_steps") @Nullable Integer warmUpSteps,
      @JsonProperty("rank") @Nullable Integer rank,
      @JsonProperty("min_saving") @Nullable Double minSaving) {
    return new CompressionConfig(
        type == null ? Type.NONE : type,
        errorFeedback == null || errorFeedback,
        stochastic != null && stochastic,
        density == null ? 0.01 : density,
        momentum == null ? 0 : momentum,
        warmUpSteps == null ? 0 : warmUpSteps,
        rank == null ? 4 : rank,
        minSaving == null ? 2 : minSaving);
  }

  /** Whether anything is compressed. */
  public boolean compresses() {
    return type != Type.NONE;
  }

  /** The same with or without error feedback. */
  public CompressionConfig withErrorFeedback(boolean kept) {
    return new CompressionConfig(
        type, kept, stochastic, density, momentum, warmUpSteps, rank, minSaving);
  }

  /** The same with integers rounded at random, or to the nearest. */
  public CompressionConfig withStochastic(boolean random) {
    return new CompressionConfig(
        type, errorFeedback, random, density, momentum, warmUpSteps, rank, minSaving);
  }

  /** The same with another part of the elements, reached after so many steps. */
  public CompressionConfig withDensity(double part, int warmUp) {
    return new CompressionConfig(
        type, errorFeedback, stochastic, part, momentum, warmUp, rank, minSaving);
  }

  /** The same with momentum on each rank's own gradients. */
  public CompressionConfig withMomentum(double factor) {
    return new CompressionConfig(
        type, errorFeedback, stochastic, density, factor, warmUpSteps, rank, minSaving);
  }

  /** The same with matrices of another rank, where they save that much. */
  public CompressionConfig withRank(int columns, double saving) {
    return new CompressionConfig(
        type, errorFeedback, stochastic, density, momentum, warmUpSteps, columns, saving);
  }
}
