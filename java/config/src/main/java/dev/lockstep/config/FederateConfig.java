package dev.lockstep.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.data.DataConfig;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.OutputConfig;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.train.OptimizerConfig;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A federation, as {@code lockstep federate} runs it.
 *
 * @param name the run's name, a plain folder name
 * @param seed of everything that is drawn
 * @param threads libtorch threads of each rank, at least 1; 1 unless given, because clients are
 *     trained side by side by ranks, and the bits of a model may depend on it
 * @param data all clients' samples, and the held-out ones that score the server's model
 * @param model that all train
 * @param optimizer of the clients
 */
public record FederateConfig(
    String name,
    long seed,
    int threads,
    DataConfig data,
    ModelConfig model,
    OptimizerConfig optimizer,
    FederationConfig federation,
    CommunicatorConfig communicator,
    OutputConfig output) {

  /** Checks what no section can check alone. */
  public FederateConfig {
    if (threads < 1) {
      throw new ConfigKeyException("threads", "must be at least 1, not " + threads + ".");
    }
    RunKeys.checkTargets(data);
    RunFolder.of(Path.of(output.folder()), name);
    new FederationPlan(seed, threads, model, optimizer, federation);
  }

  /** From YAML, with defaults for what is left out; absent sections arrive as empty ones. */
  @JsonCreator
  static FederateConfig fromYaml(
      @JsonProperty("name") @Nullable String name,
      @JsonProperty("seed") @Nullable Long seed,
      @JsonProperty("threads") @Nullable Integer threads,
      @JsonProperty("data") DataConfig data,
      @JsonProperty("model") ModelConfig model,
      @JsonProperty("optimizer") OptimizerConfig optimizer,
      @JsonProperty("federation") FederationConfig federation,
      @JsonProperty("communicator") CommunicatorConfig communicator,
      @JsonProperty("output") OutputConfig output) {
    return new FederateConfig(
        RunKeys.name(name, "clinics"),
        seed == null ? 0 : seed,
        threads == null ? 1 : threads,
        data,
        model,
        optimizer,
        federation,
        communicator,
        output);
  }

  /** What is to be done, without data and ranks. */
  public FederationPlan plan() {
    return new FederationPlan(seed, threads, model, optimizer, federation);
  }

  /** Where the run is recorded. */
  public RunFolder folder() {
    return RunFolder.of(Path.of(output.folder()), name);
  }
}
