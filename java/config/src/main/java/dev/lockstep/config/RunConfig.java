package dev.lockstep.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.checkpoint.CheckpointConfig;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.data.DataConfig;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.OutputConfig;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.train.MeshConfig;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.ScheduleConfig;
import dev.lockstep.train.StrategyConfig;
import dev.lockstep.train.TrainingConfig;
import dev.lockstep.train.TrainingPlan;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A whole run. Each section belongs to the component that it configures; all but {@code name} and
 * {@code data} have defaults.
 *
 * @param name the run's name, a plain folder name
 * @param seed of the initial parameters, the order of samples and random numbers within the model
 * @param threads libtorch threads of each rank; 0 for cores ÷ ranks on this host
 */
public record RunConfig(
    String name,
    long seed,
    int threads,
    DataConfig data,
    ModelConfig model,
    TrainingConfig training,
    OptimizerConfig optimizer,
    ScheduleConfig schedule,
    StrategyConfig strategy,
    MeshConfig mesh,
    CommunicatorConfig communicator,
    CheckpointConfig checkpoints,
    OutputConfig output) {

  /**
   * Checks what no section can check alone.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public RunConfig {
    if (threads < 0) {
      throw new ConfigKeyException("threads", "must be at least 0, not " + threads + ".");
    }
    RunKeys.checkTargets(data);
    RunFolder.of(Path.of(output.folder()), name);
  }

  /** From YAML, with defaults for what is left out; absent sections arrive as empty ones. */
  @JsonCreator
  static RunConfig fromYaml(
      @JsonProperty("name") @Nullable String name,
      @JsonProperty("seed") @Nullable Long seed,
      @JsonProperty("threads") @Nullable Integer threads,
      @JsonProperty("data") DataConfig data,
      @JsonProperty("model") ModelConfig model,
      @JsonProperty("training") TrainingConfig training,
      @JsonProperty("optimizer") OptimizerConfig optimizer,
      @JsonProperty("schedule") ScheduleConfig schedule,
      @JsonProperty("strategy") StrategyConfig strategy,
      @JsonProperty("mesh") MeshConfig mesh,
      @JsonProperty("communicator") CommunicatorConfig communicator,
      @JsonProperty("checkpoints") CheckpointConfig checkpoints,
      @JsonProperty("output") OutputConfig output) {
    return new RunConfig(
        RunKeys.name(name, "heat-flux"),
        seed == null ? 0 : seed,
        threads == null ? 0 : threads,
        data,
        model,
        training,
        optimizer,
        schedule,
        strategy.on(mesh),
        mesh,
        communicator,
        checkpoints,
        output);
  }

  /** What the trainer is told. */
  public TrainingPlan plan() {
    return new TrainingPlan(
        name, seed, threads, model, training, optimizer, schedule, strategy, checkpoints, mesh);
  }

  /** Where the run is recorded. */
  public RunFolder folder() {
    return RunFolder.of(Path.of(output.folder()), name);
  }
}
