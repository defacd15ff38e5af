package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import org.jspecify.annotations.Nullable;

/**
 * Batches that grow while a run goes on, up to the gradient noise scale (McCandlish et al. 2018),
 * with which steps take the fewest samples for their number. The learning rate, which is for {@code
 * training.batch_size}, follows: by AdaScale (Johnson et al. 2020) under {@code sgd}, by the square
 * root of the batch under {@code adam} and {@code adamw}; its schedule goes by samples.
 *
 * @param adaptive whether batches grow; they never shrink
 * @param min samples of the first steps' batches, on all ranks together; null for {@code
 *     training.batch_size}
 * @param max the largest batch, at least {@code min}; null for 32 times {@code training.batch_size}
 */
public record BatchConfig(boolean adaptive, @Nullable Integer min, @Nullable Integer max) {
  /**
   * Checks the ranges, and that limits are given only where batches grow.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public BatchConfig {
    if (!adaptive && (min != null || max != null)) {
      throw new ConfigKeyException(
          min != null ? "min" : "max",
          "is for batches that grow; set adaptive: true, or leave it out.");
    }
    if (min != null) {
      Checks.atLeast("min", min, 1);
    }
    if (max != null) {
      Checks.atLeast("max", max, 1);
    }
    if (min != null && max != null && max < min) {
      throw new ConfigKeyException("max", "must be at least min, " + min + ", not " + max + ".");
    }
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  static BatchConfig fromYaml(
      @JsonProperty("adaptive") @Nullable Boolean adaptive,
      @JsonProperty("min") @Nullable Integer min,
      @JsonProperty("max") @Nullable Integer max) {
    return new BatchConfig(adaptive != null && adaptive, min, max);
  }

  /** Batches that stay as they are. */
  public static BatchConfig fixed() {
    return new BatchConfig(false, null, null);
  }

  /** Batches that grow between these. */
  public static BatchConfig adaptive(int min, int max) {
    return new BatchConfig(true, min, max);
  }
}
