package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * The {@code mesh} section of a configuration: how ranks are divided where a model is. Rank (d ·
 * {@code pipeline} + p) · {@code tensor} + t has, in the d-th copy of the model, of the p-th part
 * the t-th slice, so that the ranks of a copy are neighbours, and those of a part the nearest ones.
 *
 * @param data how many copies of the model share out each batch; null for ranks ÷ ({@code pipeline}
 *     × {@code tensor})
 * @param pipeline over how many ranks a model is cut, with {@code strategy.pipeline}; null for the
 *     most that divide the ranks and that it has layers for; with {@code strategy.pipeline.stages}
 *     that of the named parts. Where only 1 is possible on several ranks, it must be asked for
 * @param tensor how many ranks compute each layer together, with slices of its width; more than 1
 *     makes {@code strategy.type} {@code tensor_parallel}. Null for 1, with {@code tensor_parallel}
 *     for ranks ÷ {@code data}. Not together with {@code pipeline} yet
 */
public record MeshConfig(
    @JsonProperty("data") @Nullable Integer data,
    @JsonProperty("pipeline") @Nullable Integer pipeline,
    @JsonProperty("tensor") @Nullable Integer tensor) {
  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public MeshConfig {
    if (data != null) {
      Checks.atLeast("data", data, 1);
    }
    if (pipeline != null) {
      Checks.atLeast("pipeline", pipeline, 1);
    }
    if (tensor != null) {
      Checks.atLeast("tensor", tensor, 1);
    }
  }

  /** As the strategy chooses. */
  public static MeshConfig defaults() {
    return new MeshConfig(null, null, null);
  }
}
