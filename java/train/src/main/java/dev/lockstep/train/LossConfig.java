package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.TrainingConfig.LossType;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is minimised: the mean over all values of the batch. In YAML either the type alone, as in
 * {@code loss: mae}, or keys, as in {@code loss: {type: quantiles, levels: [0.1, 0.5, 0.9]}} and
 * {@code loss: {file: my.pt}}.
 *
 * @param type which loss
 * @param classWeights of {@code cross_entropy}: what the loss of a value is multiplied by, by the
 *     number of its class; all 1 if left out
 * @param levels of {@code quantiles}: between 0 and 1, ascending; 0.1, 0.5 and 0.9 if left out
 * @param file of {@code file}: a TorchScript module whose forward takes prediction, target and
 *     mask, shaped alike, and gives the mean over the samples, or one number a sample. The mask is
 *     the weight of each value, 0 where the target is missing
 */
public record LossConfig(
    LossType type, List<Double> classWeights, List<Double> levels, @Nullable String file) {
  private static final List<Double> DECILES = List.of(0.1, 0.5, 0.9);

  /**
   * Checks that each key goes with the type.
   *
   * @throws IllegalArgumentException if one does not; the message names the key
   */
  public LossConfig {
    classWeights = List.copyOf(classWeights);
    levels = List.copyOf(levels);
    require("class_weights", classWeights.isEmpty() || type == LossType.CROSS_ENTROPY, type);
    require("levels", levels.isEmpty() || type == LossType.QUANTILES, type);
    require("file", file == null || type == LossType.FILE, type);
    if (type == LossType.FILE && (file == null || file.isBlank())) {
      throw new ConfigKeyException(
          "file", "a loss of type file needs the path of a TorchScript file.");
    }
    if (classWeights.stream().anyMatch(weight -> !(weight >= 0 && weight < 1e30))
        || (!classWeights.isEmpty() && classWeights.stream().allMatch(weight -> weight == 0))) {
      throw new ConfigKeyException(
          "class_weights", "are not negative and not all 0, unlike " + classWeights + ".");
    }
    if (type == LossType.QUANTILES && levels.isEmpty()) {
      throw new ConfigKeyException("levels", "lists at least one level.");
    }
    double before = 0;
    for (double level : levels) {
      if (!(level > before && level < 1)) {
        throw new ConfigKeyException(
            "levels", "lie between 0 and 1 and ascend, unlike " + levels + ".");
      }
      before = level;
    }
  }

  private static void require(String key, boolean holds, LossType type) {
    if (!holds) {
      throw new ConfigKeyException(key, "does not go with the loss " + name(type) + ".");
    }
  }

  private static String name(LossType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  /** From a type's name alone. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static LossConfig of(String type) {
    return Arrays.stream(LossType.values())
        .filter(any -> name(any).equals(type))
        .findFirst()
        .map(LossConfig::of)
        .orElseThrow(
            () ->
                new ConfigKeyException(
                    "type",
                    "must be one of "
                        + String.join(
                            ", ", Arrays.stream(LossType.values()).map(LossConfig::name).toList())
                        + ", not "
                        + type
                        + "."));
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator(mode = JsonCreator.Mode.PROPERTIES)
  static LossConfig fromYaml(
      @JsonProperty("type") @Nullable LossType type,
      @JsonProperty("class_weights") @Nullable List<Double> classWeights,
      @JsonProperty("levels") @Nullable List<Double> levels,
      @JsonProperty("file") @Nullable String file) {
    LossType chosen = type == null ? (file == null ? LossType.MSE : LossType.FILE) : type;
    return new LossConfig(
        chosen,
        classWeights == null ? List.of() : classWeights,
        levels == null ? (chosen == LossType.QUANTILES ? DECILES : List.of()) : levels,
        file);
  }

  /** Of a type, with the defaults of its other keys. */
  public static LossConfig of(LossType type) {
    return fromYaml(type, null, null, null);
  }

  /** Of quantiles. */
  public static LossConfig quantiles(List<Double> levels) {
    return fromYaml(LossType.QUANTILES, null, levels, null);
  }

  /** Cross-entropy with weights of the classes. */
  public static LossConfig crossEntropy(List<Double> classWeights) {
    return fromYaml(LossType.CROSS_ENTROPY, classWeights, null, null);
  }

  /** Of a TorchScript file. */
  public static LossConfig file(String path) {
    return fromYaml(LossType.FILE, null, null, path);
  }

  /** As a file has it: the type's name where there is nothing else to say. */
  @JsonValue
  Object toJson() {
    Map<String, Object> keys = new LinkedHashMap<>();
    keys.put("type", name(type));
    if (!classWeights.isEmpty()) {
      keys.put("class_weights", classWeights);
    }
    if (!levels.isEmpty()) {
      keys.put("levels", levels);
    }
    if (file != null) {
      keys.put("file", file);
    }
    return keys.size() == 1 ? name(type) : keys;
  }

  /** Numbers that a model gives for each target; of classes, for each class. */
  public int outputsPerTarget() {
    return switch (type) {
      case GAUSSIAN_NLL, CRPS -> 2;
      case QUANTILES -> levels.size();
      default -> 1;
    };
  }

  /** Whether targets are class numbers instead of values. */
  public boolean classifies() {
    return type == LossType.CROSS_ENTROPY;
  }

  @Override
  public String toString() {
    return toJson().toString();
  }
}
