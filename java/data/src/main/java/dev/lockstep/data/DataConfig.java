package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What to train on; the {@code data} section of the configuration. Exactly one of {@code path} and
 * {@code synthetic} is given.
 *
 * @param path the data file; relative paths are relative to the working directory. Of fields also
 *     several files or names with {@code *}, which are joined along the first dimension of {@code
 *     samples} in the order of the list, and within a name with {@code *} of the files' names
 * @param format the file's format; {@link Format#AUTO} looks at its first bytes, then at its name
 * @param synthetic a made-up problem instead of a file
 * @param features the model's inputs, in order; for synthetic data all of its features by default
 * @param targets the variables to predict, in order; empty only for prediction; for synthetic data
 *     all of its targets by default
 * @param dropMissing true: points where any feature or target is missing are left out; false: a
 *     missing value is an error
 * @param validationFraction the share of samples held out, in [0, 1); 0 with {@code split}, which
 *     then chooses them
 * @param seed of the permutation that chooses the samples held out
 * @param samples the dimensions that count samples, which makes the data fields: all others lie
 *     inside a sample. Without them a sample is one point of the grid
 * @param shape of fields: the layout of a sample, as in {@code [channel, lat, lon]}, whose
 *     dimensions all targets have and all others of which are channels; {@code [flat]} for one row
 *     of numbers; by default the dimensions of the target with most of them
 * @param where of fields: ranges of coordinates to use, by dimension, as in {@code {lat: [30, 90]}}
 * @param isel of fields: ranges of indices to use, by dimension, from 0, both ends included;
 *     negative ones count from the end
 * @param split of fields: ranges instead of a random choice of samples to hold out
 * @param missing of fields: what is done about missing values
 * @param weights of fields: the weight of a cell in loss and scores: {@code cos_latitude}, or a
 *     variable of the file; all alike if left out
 * @param normalize of fields: how values are brought to the network's scale, unless a feature or a
 *     target says otherwise
 * @param regions of fields: parts of the grid whose scores on the test samples are told separately
 */
public record DataConfig(
    List<String> path,
    Format format,
    @Nullable SyntheticConfig synthetic,
    List<FeatureConfig> features,
    List<TargetConfig> targets,
    boolean dropMissing,
    double validationFraction,
    long seed,
    List<String> samples,
    List<String> shape,
    Map<String, List<Bound>> where,
    Map<String, List<Integer>> isel,
    @Nullable SplitConfig split,
    Missing missing,
    @Nullable String weights,
    Normalization normalize,
    List<RegionConfig> regions) {

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
    IDX,

    /** A Zarr store of version 2 or 3: a folder, or a zip archive. */
    @JsonProperty("zarr")
    ZARR,

    /** A table of Apache Parquet, by DuckDB's JDBC driver on the class path. */
    @JsonProperty("parquet")
    PARQUET
  }

  /**
   * Checks the arguments and copies the lists.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public DataConfig {
    path = List.copyOf(path);
    samples = List.copyOf(samples);
    shape = List.copyOf(shape);
    where = Map.copyOf(where);
    isel = Map.copyOf(isel);
    regions = List.copyOf(regions);
    if (regions.stream().map(RegionConfig::name).distinct().count() < regions.size()) {
      throw new ConfigKeyException("regions", "two have the same name");
    }
    if (!regions.isEmpty() && (split == null || !split.keepsTest())) {
      throw new ConfigKeyException(
          "regions",
          "are scored on the samples of split.test, and there are none; give split.test");
    }
    if (synthetic != null && !samples.isEmpty()) {
      throw new ConfigKeyException("samples", "is of fields, which synthetic data is not");
    }
    if (path.isEmpty() == (synthetic == null)) {
      throw new ConfigKeyException(
          "path",
          path.isEmpty()
              ? "is missing; give the path of a data file, or a synthetic section"
              : "is there together with a synthetic section; give one of the two");
    }
    if (path.stream().anyMatch(String::isBlank)) {
      throw new ConfigKeyException("path", "is empty");
    }
    for (String dimension : where.keySet()) {
      if (isel.containsKey(dimension)) {
        throw new ConfigKeyException(
            "isel", "and where both choose from " + dimension + "; give one of the two");
      }
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
    List<String> targetNames = targets.stream().map(TargetConfig::variable).toList();
    if (new HashSet<>(targetNames).size() < targets.size()) {
      throw new ConfigKeyException("targets", "one is listed twice in " + targetNames);
    }
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw new ConfigKeyException(
          "validation_fraction", "must be at least 0 and below 1, not " + validationFraction);
    }
    if (!samples.isEmpty() && !dropMissing) {
      throw new ConfigKeyException(
          "drop_missing", "is of points; fields have missing: drop or missing: mask");
    }
    if (samples.isEmpty()) {
      checkPoints(path, features, targets, shape, where, isel, split, missing, weights, normalize);
      requireFields("regions", !regions.isEmpty());
    }
  }

  /** Of points. */
  public DataConfig(
      @Nullable String path,
      Format format,
      @Nullable SyntheticConfig synthetic,
      List<FeatureConfig> features,
      List<String> targets,
      boolean dropMissing,
      double validationFraction,
      long seed) {
    this(
        path == null ? List.of() : List.of(path),
        format,
        synthetic,
        features,
        TargetConfig.ofVariables(targets),
        dropMissing,
        validationFraction,
        seed,
        List.of(),
        List.of(),
        Map.of(),
        Map.of(),
        null,
        Missing.DROP,
        null,
        Normalization.MEAN_STD,
        List.of());
  }

  /** Whether samples are fields instead of points. */
  public boolean ofFields() {
    return !samples.isEmpty();
  }

  /**
   * Checks that points ask for nothing that only fields have.
   *
   * @throws IllegalArgumentException naming the key
   */
  private static void checkPoints(
      List<String> path,
      List<FeatureConfig> features,
      List<TargetConfig> targets,
      List<String> shape,
      Map<String, List<Bound>> where,
      Map<String, List<Integer>> isel,
      @Nullable SplitConfig split,
      Missing missing,
      @Nullable String weights,
      Normalization normalize) {
    requireFields("shape", !shape.isEmpty());
    requireFields("where", !where.isEmpty());
    requireFields("isel", !isel.isEmpty());
    requireFields("split", split != null);
    requireFields("missing", missing != Missing.DROP);
    requireFields("weights", weights != null);
    requireFields("normalize", normalize != Normalization.MEAN_STD);
    requireFields("features", features.stream().anyMatch(FeatureConfig::onlyOfFields));
    requireFields("targets", targets.stream().anyMatch(TargetConfig::onlyOfFields));
    requireFields("path", path.size() > 1);
  }

  private static void requireFields(String key, boolean used) {
    if (used) {
      throw new ConfigKeyException(
          key, "asks for what only fields have; name the dimensions that count in data.samples");
    }
  }

  /** From YAML, with defaults for what is left out. */
  @JsonCreator
  static DataConfig fromYaml(
      @JsonProperty("path") @JsonFormat(with = JsonFormat.Feature.ACCEPT_SINGLE_VALUE_AS_ARRAY)
          @Nullable List<String> path,
      @JsonProperty("format") @Nullable Format format,
      @JsonProperty("synthetic") @Nullable SyntheticConfig synthetic,
      @JsonProperty("features") @Nullable List<FeatureConfig> features,
      @JsonProperty("targets") @Nullable List<TargetConfig> targets,
      @JsonProperty("drop_missing") @Nullable Boolean dropMissing,
      @JsonProperty("validation_fraction") @Nullable Double validationFraction,
      @JsonProperty("seed") @Nullable Long seed,
      @JsonProperty("samples") @Nullable List<String> samples,
      @JsonProperty("shape") @Nullable List<String> shape,
      @JsonProperty("where") @Nullable Map<String, List<Bound>> where,
      @JsonProperty("isel") @Nullable Map<String, List<Integer>> isel,
      @JsonProperty("split") @Nullable SplitConfig split,
      @JsonProperty("missing") @Nullable Missing missing,
      @JsonProperty("weights") @Nullable String weights,
      @JsonProperty("normalize") @Nullable Normalization normalize,
      @JsonProperty("regions") @Nullable List<RegionConfig> regions) {
    if (split != null && validationFraction != null && validationFraction != 0) {
      throw new ConfigKeyException(
          "validation_fraction", "and split both choose what is held out; give one of the two");
    }
    if (features == null) {
      features =
          synthetic == null ? List.of() : FeatureConfig.ofVariables(synthetic.featureNames());
    }
    if (targets == null) {
      targets = synthetic == null ? List.of() : TargetConfig.ofVariables(synthetic.targetNames());
    }
    return new DataConfig(
        path == null ? List.of() : path,
        format == null ? Format.AUTO : format,
        synthetic,
        features,
        targets,
        dropMissing == null || dropMissing,
        validationFraction != null ? validationFraction : split == null ? 0.2 : 0,
        seed == null ? 0 : seed,
        samples == null ? List.of() : samples,
        shape == null ? List.of() : shape,
        where == null ? Map.of() : where,
        isel == null ? Map.of() : isel,
        split,
        missing == null ? Missing.DROP : missing,
        weights,
        normalize == null ? Normalization.MEAN_STD : normalize,
        regions == null ? List.of() : regions);
  }
}
