package dev.lockstep.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.learn.FitDataConfig;
import dev.lockstep.learn.LearnerConfig;
import dev.lockstep.monitor.OutputConfig;
import dev.lockstep.monitor.RunFolder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A fit of clusters or trees, as {@code lockstep fit} runs it.
 *
 * @param name the run's name, a plain folder name
 * @param seed of everything that is drawn
 * @param checkpointEvery steps (iterations, rounds, blocks of trees) between checkpoints; 0 for
 *     none but at a stop
 */
public record FitConfig(
    String name,
    long seed,
    FitDataConfig data,
    LearnerConfig learner,
    CommunicatorConfig communicator,
    int checkpointEvery,
    OutputConfig output) {

  /** Checks what no section can check alone. */
  public FitConfig {
    if (checkpointEvery < 0) {
      throw new IllegalArgumentException(
          "checkpoint_every must be at least 0, not " + checkpointEvery);
    }
    RunFolder.of(Path.of(output.folder()), name);
  }

  /** From YAML, with defaults for what is left out; absent sections arrive as empty ones. */
  @JsonCreator
  static FitConfig fromYaml(
      @JsonProperty("name") @Nullable String name,
      @JsonProperty("seed") @Nullable Long seed,
      @JsonProperty("data") FitDataConfig data,
      @JsonProperty("learner") LearnerConfig learner,
      @JsonProperty("communicator") CommunicatorConfig communicator,
      @JsonProperty("checkpoint_every") @Nullable Integer checkpointEvery,
      @JsonProperty("output") OutputConfig output) {
    return new FitConfig(
        RunKeys.name(name, "clusters"),
        seed == null ? 0 : seed,
        data,
        learner,
        communicator,
        checkpointEvery == null ? 10 : checkpointEvery,
        output);
  }

  /** Where the run is recorded. */
  public RunFolder folder() {
    return RunFolder.of(Path.of(output.folder()), name);
  }
}
