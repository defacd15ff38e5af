package dev.lockstep.train;

import dev.lockstep.checkpoint.CheckpointConfig;
import dev.lockstep.model.ModelConfig;

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
    CheckpointConfig checkpoints) {
  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public TrainingPlan {
    Checks.atLeast("threads", threads, 0);
  }
}
