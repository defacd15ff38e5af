package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What to train on; the {@code data} section of the configuration. Exactly one of {@code path} and
 * {@code synthetic} is given.
 *
 * @param path the data file; relative paths are relative to the working directory
 * @param format the file's format; {@link Format#AUTO} looks at its first bytes, then at its name
 * @param synthetic a made-up problem instead of a file
 * @param features the model's inputs, in order; for synthetic data all of its features by default
 * @param targets the variables to predict, in order; empty only for prediction; for synthetic data
 *     all of its targets by default
 * @param dropMissing true: points where any feature or target is missing are left out; false: a
 *     missing value is an error
 * @param validationFraction the share of samples held out, in [0, 1)
 * @param seed of the permutation that chooses the samples held out
 */
public record DataConfig(
    @Nullable String path,
    Format format,
    @Nullable SyntheticConfig synthetic,
    List<FeatureConfig> features,
    List<String> targets,
    boolean dropMissing,
    double validationFraction,
    long seed) {

  /** File formats. */
  public enum Format {
    /** By the file's first bytes, then by its name. */
    @JsonProperty("auto")
    AUTO,
    /** NetCDF classic: CDF-1, CDF-2 and CDF-5. */
    @JsonProperty("netcdf")
    NETCDF,
    /** HDF5, and so NetCDF-4. */
    @JsonProperty("hdf5")
    HDF5,
    /** Comma-separated values with a header line. */
    @JsonProperty("csv")
    CSV,
    /** One NumPy array. */
    @JsonProperty("npy")
    NPY,
    /** A zip archive of NumPy arrays. */
    @JsonProperty("npz")
    NPZ,

    /** One array as the MNIST files hold it. */
    @JsonProperty("idx")
    IDX
  }

  /**
   * Checks the arguments and copies the lists.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public DataConfig {
    if ((path == null) == (synthetic == null)) {
      throw new ConfigKeyException(
          "path",
          "give either the path of a data file or a synthetic section, not "
              + (path == null ? "neither" : "both"));
    }
    if (path != null && path.isBlank()) {
      throw new ConfigKeyException("path", "is empty");
    }
    features = List.copyOf(features);
    targets = List.copyOf(targets);
    if (features.isEmpty()) {
      throw new ConfigKeyException("features", "list at least one variable");
    }
    Set<String> names = new HashSet<>();
    for (FeatureConfig feature : features) {
      if (!names.add(feature.name())) {
        throw new ConfigKeyException("features", "two are called " + feature.name());
      }
    }
    if (new HashSet<>(targets).size() < targets.size()) {
      throw new ConfigKeyException("targets", "one is listed twice in " + targets);
    }
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw new ConfigKeyException(
          "validation_fraction", "must be at least 0 and below 1, not " + validationFraction);
    }
  }

  /** From YAML, with defaults for what is left out. */
  @JsonCreator
  static DataConfig fromYaml(
      @JsonProperty("path") @Nullable String path,
      @JsonProperty("format") @Nullable Format format,
      @JsonProperty("synthetic") @Nullable SyntheticConfig synthetic,
      @JsonProperty("features") @Nullable List<FeatureConfig> features,
      @JsonProperty("targets") @Nullable List<String> targets,
      @JsonProperty("drop_missing") @Nullable Boolean dropMissing,
      @JsonProperty("validation_fraction") @Nullable Double validationFraction,
      @JsonProperty("seed") @Nullable Long seed) {
    if (features == null) {
      features =
          synthetic == null ? List.of() : FeatureConfig.ofVariables(synthetic.featureNames());
    }
    if (targets == null) {
      targets = synthetic == null ? List.of() : synthetic.targetNames();
    }
    return new DataConfig(
        path,
        format == null ? Format.AUTO : format,
        synthetic,
        features,
        targets,
        dropMissing == null || dropMissing,
        validationFraction == null ? 0.2 : validationFraction,
        seed == null ? 0 : seed);
  }
}
