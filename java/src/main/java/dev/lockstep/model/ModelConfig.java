package dev.lockstep.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code model} section of a configuration.
 *
 * @param type what kind of model
 * @param hidden for {@link Type#MLP}: the width of each hidden layer; empty for a linear model
 * @param activation for {@link Type#MLP}: what follows each hidden layer
 * @param file for {@link Type#FILE}: a TorchScript file with trainable parameters
 * @param dtype for {@link Type#MLP}: the type of the parameters; a file has its own
 * @param batchNorm for {@link Type#FILE}: which samples a batch norm normalises by in training
 */
public record ModelConfig(
    Type type,
    List<Integer> hidden,
    Activation activation,
    @Nullable String file,
    FloatType dtype,
    BatchNorm batchNorm) {

  /** Whose samples a batch norm uses. */
  public enum BatchNorm {
    /** Each rank its own share of the batch; running statistics are averaged. */
    @JsonProperty("per_rank")
    PER_RANK,
    /** All ranks the whole batch, as one process does. */
    @JsonProperty("synchronized")
    SYNCHRONIZED
  }

  /** Kinds of models. */
  public enum Type {
    /** Fully connected layers. */
    @JsonProperty("mlp")
    MLP,
    /** What {@code torch.jit.script} or {@code torch.jit.trace} saved. */
    @JsonProperty("file")
    FILE
  }

  /** Functions between layers. */
  public enum Activation {
    @JsonProperty("relu")
    RELU("torch.relu"),
    @JsonProperty("tanh")
    TANH("torch.tanh"),
    @JsonProperty("gelu")
    GELU("torch.gelu"),
    @JsonProperty("silu")
    SILU("torch.silu");

    private final String function;

    Activation(String function) {
      this.function = function;
    }

    /** Its name in TorchScript. */
    String function() {
      return function;
    }
  }

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public ModelConfig {
    hidden = List.copyOf(hidden);
    for (int width : hidden) {
      if (width < 1) {
        throw new ConfigKeyException("hidden", "a layer needs at least 1 unit, not " + width + ".");
      }
    }
    if (type == Type.FILE && (file == null || file.isBlank())) {
      throw new ConfigKeyException(
          "file", "a model of type file needs the path of a TorchScript file.");
    }
    if (type != Type.FILE && file != null) {
      throw new ConfigKeyException("file", "only a model of type file has one; set type: file.");
    }
    if (type == Type.MLP && dtype != FloatType.FLOAT32 && dtype != FloatType.FLOAT64) {
      throw new ConfigKeyException(
          "dtype", "an mlp is float32 or float64; half precision is for files as saved.");
    }
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static ModelConfig of(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("hidden") @Nullable List<Integer> hidden,
      @JsonProperty("activation") @Nullable Activation activation,
      @JsonProperty("file") @Nullable String file,
      @JsonProperty("dtype") @Nullable FloatType dtype,
      @JsonProperty("batch_norm") @Nullable BatchNorm batchNorm) {
    return new ModelConfig(
        type == null ? Type.MLP : type,
        hidden == null ? List.of(128, 128) : hidden,
        activation == null ? Activation.RELU : activation,
        file,
        dtype == null ? FloatType.FLOAT32 : dtype,
        batchNorm == null ? BatchNorm.PER_RANK : batchNorm);
  }

  /** Like the other, with batch norms per rank. */
  public static ModelConfig of(
      @Nullable Type type,
      @Nullable List<Integer> hidden,
      @Nullable Activation activation,
      @Nullable String file,
      @Nullable FloatType dtype) {
    return of(type, hidden, activation, file, dtype, null);
  }

  /** An mlp with two hidden layers of 128 units. */
  public static ModelConfig defaults() {
    return of(null, null, null, null, null);
  }
}
