package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.checkpoint.CheckpointConfig;
import dev.lockstep.model.ModelConfig;
import org.jspecify.annotations.Nullable;

/**
 * All that a training run is told, besides its data.
 *
 * @param name the run's name
 * @param seed of the initial parameters, the order of samples and random numbers within the model
 * @param threads libtorch threads of a rank; 0 for cores ÷ ranks on this host
 */
public record TrainingPlan(
    String name,
    long seed,
    int threads,
    ModelConfig model,
    TrainingConfig training,
    OptimizerConfig optimizer,
    ScheduleConfig schedule,
    StrategyConfig strategy,
    CheckpointConfig checkpoints,
    MeshConfig mesh) {
  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public TrainingPlan {
    Checks.atLeast("threads", threads, 0);
    if (training.batch().adaptive()
        && training.maxSteps() != null
        && schedule.type() == ScheduleConfig.Type.COSINE) {
      throw new ConfigKeyException(
          "training.max_steps",
          "leaves open where schedule.type: cosine ends, as with training.batch.adaptive it goes by"
              + " samples; set training.epochs alone.");
    }
    if (training.balance() && model.batchNorm() == ModelConfig.BatchNorm.SYNCHRONIZED) {
      throw new ConfigKeyException(
          "training.balance",
          "goes by the time that ranks work, and with model.batch_norm: synchronized they wait for"
              + " each other in every pass; leave it out, or set model.batch_norm: per_rank.");
    }
  }

  /** With ranks that lie as the strategy chooses. */
  public TrainingPlan(
      String name,
      long seed,
      int threads,
      ModelConfig model,
      TrainingConfig training,
      OptimizerConfig optimizer,
      ScheduleConfig schedule,
      StrategyConfig strategy,
      CheckpointConfig checkpoints) {
    this(
        name,
        seed,
        threads,
        model,
        training,
        optimizer,
        schedule,
        strategy,
        checkpoints,
        MeshConfig.defaults());
  }

  /**
   * From a checkpoint, whose run may have had no mesh.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  @JsonCreator
  static TrainingPlan fromJson(
      @JsonProperty("name") String name,
      @JsonProperty("seed") long seed,
      @JsonProperty("threads") int threads,
      @JsonProperty("model") ModelConfig model,
      @JsonProperty("training") TrainingConfig training,
      @JsonProperty("optimizer") OptimizerConfig optimizer,
      @JsonProperty("schedule") ScheduleConfig schedule,
      @JsonProperty("strategy") StrategyConfig strategy,
      @JsonProperty("checkpoints") CheckpointConfig checkpoints,
      @JsonProperty("mesh") @Nullable MeshConfig mesh) {
    return new TrainingPlan(
        name,
        seed,
        threads,
        model,
        training,
        optimizer,
        schedule,
        strategy,
        checkpoints,
        mesh == null ? MeshConfig.defaults() : mesh);
  }
}
