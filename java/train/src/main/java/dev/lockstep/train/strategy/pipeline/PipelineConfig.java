package dev.lockstep.train.strategy.pipeline;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.Checks;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code pipeline} keys of the strategy.
 *
 * @param stages the model's layer with which each part begins, the first one's too, as in {@code
 *     [layer0, layer2]} for two parts; {@code auto} balances them by the time that each layer takes
 * @param schedule in which order a rank computes
 * @param microBatches pieces that a rank's share of a batch is cut into, in place of {@code
 *     training.accumulation_steps}; the result is that of as many accumulation steps
 * @param chunks for {@code interleaved}: parts of the model on each rank; 2 if left out
 */
public record PipelineConfig(
    List<String> stages, PipelineSchedule schedule, int microBatches, int chunks) {
  private static final List<String> AUTO = List.of("auto");

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public PipelineConfig {
    stages = List.copyOf(stages);
    Checks.atLeast("micro_batches", microBatches, 1);
    if (schedule == PipelineSchedule.INTERLEAVED) {
      Checks.atLeast("chunks", chunks, 2);
    } else if (chunks != 1) {
      throw new ConfigKeyException(
          "chunks", "must be 1 but for schedule: interleaved, not " + chunks + ".");
    }
    if (stages.isEmpty()) {
      throw new ConfigKeyException("stages", "must be auto, or name a layer for each part.");
    }
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static PipelineConfig of(
      @JsonProperty("stages") @Nullable List<String> stages,
      @JsonProperty("schedule") @Nullable PipelineSchedule schedule,
      @JsonProperty("micro_batches") @Nullable Integer microBatches,
      @JsonProperty("chunks") @Nullable Integer chunks) {
    int parts = schedule == PipelineSchedule.INTERLEAVED ? 2 : 1;
    return new PipelineConfig(
        stages == null ? AUTO : stages,
        schedule == null ? PipelineSchedule.ONE_F_ONE_B : schedule,
        microBatches == null ? 8 : microBatches,
        chunks == null ? parts : chunks);
  }

  /** Parts balanced by time, one forward and one backward, 8 pieces. */
  public static PipelineConfig defaults() {
    return of(null, null, null, null);
  }

  /** Whether parts are balanced by time. */
  public boolean balances() {
    return stages.equals(AUTO);
  }
}
