package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * The {@code mesh} section of a configuration: how ranks are divided where a model is. Rank d ·
 * {@code pipeline} + p has the p-th part of the model in the d-th pipeline, so that the ranks of a
 * pipeline are neighbours.
 *
 * @param data how many pipelines share out each batch; null for ranks ÷ {@code pipeline}
 * @param pipeline over how many ranks a model is cut, with {@code strategy.pipeline}; null for the
 *     most that divide the ranks and that it has layers for; with {@code strategy.pipeline.stages}
 *     that of the named parts. Where only 1 is possible on several ranks, it must be asked for
 */
public record MeshConfig(
    @JsonProperty("data") @Nullable Integer data,
    @JsonProperty("pipeline") @Nullable Integer pipeline) {
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
  }

  /** As the strategy chooses. */
  public static MeshConfig defaults() {
    return new MeshConfig(null, null);
  }
}
