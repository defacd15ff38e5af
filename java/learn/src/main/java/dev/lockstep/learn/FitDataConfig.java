package dev.lockstep.learn;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.data.DataConfig.Format;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code data} section of a fit.
 *
 * @param path the file; with {@link Ownership#LOCAL} each rank's own, {@code {rank}} standing for
 *     its number
 * @param format by its first bytes and its name unless given
 * @param labels a second file whose rows are those of the first, with the target in it; {@code
 *     {rank}} as in {@code path}. Not of CSV
 * @param features columns, in order; empty for all but the target, the weight and the classes that
 *     IDX keeps beside its images
 * @param target the column to predict; none for k-means
 * @param weight a column with a weight for each row
 * @param categorical features that are categories although they are numbers; columns of text in a
 *     CSV file are categories anyway
 * @param ownership which rows a rank has
 * @param validationFraction the share of rows that trees are scored on and not fitted to; by a hash
 *     of the row
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record FitDataConfig(
    String path,
    Format format,
    @Nullable String labels,
    List<String> features,
    @Nullable String target,
    @Nullable String weight,
    List<String> categorical,
    Ownership ownership,
    double validationFraction) {

  /** Which rows a rank has. */
  public enum Ownership {
    /** All ranks read one file, each its share of the rows. */
    @JsonProperty("deal")
    DEAL,
    /** Every rank has a file of its own and reads all of it. */
    @JsonProperty("local")
    LOCAL
  }

  /** Checks the keys. */
  public FitDataConfig {
    if (path.isBlank()) {
      throw new IllegalArgumentException("path: is empty");
    }
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw new IllegalArgumentException(
          "validation_fraction: must be at least 0 and below 1, not " + validationFraction);
    }
    features = List.copyOf(features);
    categorical = List.copyOf(categorical);
    if (labels == null && target != null && features.contains(target)) {
      throw new IllegalArgumentException("features: " + target + " is the target");
    }
    if (labels != null && target == null) {
      throw new IllegalArgumentException("target: name the column of " + labels + " to predict");
    }
  }

  /** From YAML, with defaults for what is left out. */
  @JsonCreator
  static FitDataConfig fromYaml(
      @JsonProperty("path") @Nullable String path,
      @JsonProperty("format") @Nullable Format format,
      @JsonProperty("labels") @Nullable String labels,
      @JsonProperty("features") @Nullable List<String> features,
      @JsonProperty("target") @Nullable String target,
      @JsonProperty("weight") @Nullable String weight,
      @JsonProperty("categorical") @Nullable List<String> categorical,
      @JsonProperty("ownership") @Nullable Ownership ownership,
      @JsonProperty("validation_fraction") @Nullable Double validationFraction) {
    if (path == null) {
      throw new IllegalArgumentException("path: name the data file");
    }
    return new FitDataConfig(
        path,
        format == null ? Format.AUTO : format,
        labels,
        features == null ? List.of() : features,
        target,
        weight,
        categorical == null ? List.of() : categorical,
        ownership == null ? Ownership.DEAL : ownership,
        validationFraction == null ? 0 : validationFraction);
  }

  /** Of a file's columns those that are features if none are named: neither target nor weight. */
  List<String> featuresAmong(List<String> columns) {
    // The target in a file of its own is another column than one of that name here.
    return columns.stream()
        .filter(name -> (labels != null || !name.equals(target)) && !name.equals(weight))
        .toList();
  }

  /** The file of a rank. */
  public String pathOf(int rank) {
    return of(path, rank);
  }

  /** The file with a rank's targets, if they are not in {@link #pathOf}. */
  @Nullable String labelsOf(int rank) {
    return labels == null ? null : of(labels, rank);
  }

  private String of(String pattern, int rank) {
    return ownership == Ownership.LOCAL
        ? pattern.replace("{rank}", Integer.toString(rank))
        : pattern;
  }
}
