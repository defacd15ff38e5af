package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which samples of fields to train on, which to hold out and which to keep for the end: ranges of a
 * coordinate, both ends included, or blocks of indices that {@code data.seed} shares out. A sample
 * belongs where its targets lie; one whose targets lie in several parts belongs nowhere.
 *
 * @param by the dimension of samples that decides
 * @param train two ends, as in {@code [1982, 1988]}
 * @param validation likewise; nothing is held out if left out
 * @param test likewise; scored once, when training is over
 * @param block instead of ranges: how many indices in a row stay together, as in 1 for stations and
 *     30 for months of days; 0 for ranges
 * @param validationFraction of blocks: the share of them that is held out
 * @param testFraction of blocks: the share of them that is kept for the end
 */
public record SplitConfig(
    String by,
    List<Bound> train,
    List<Bound> validation,
    List<Bound> test,
    int block,
    double validationFraction,
    double testFraction) {
  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public SplitConfig {
    train = pair("train", train);
    validation = pair("validation", validation);
    test = pair("test", test);
    if (by.isBlank()) {
      throw new ConfigKeyException("by", "name the dimension that splits the samples");
    }
    boolean ranges = !train.isEmpty() || !validation.isEmpty() || !test.isEmpty();
    if (block < 0 || (block > 0 && ranges)) {
      throw new ConfigKeyException(
          "block", "is a number of indices from 1 on, instead of ranges, not " + block);
    }
    if (block == 0 && train.isEmpty()) {
      throw new ConfigKeyException("train", "give the range to train on, as in [1982, 1988]");
    }
    share("validation_fraction", validationFraction, block);
    share("test_fraction", testFraction, block);
    if (validationFraction + testFraction >= 1) {
      throw new ConfigKeyException(
          "validation_fraction", "and test_fraction leave nothing to train on");
    }
  }

  /** Whether samples are kept for the end. */
  boolean keepsTest() {
    return !test.isEmpty() || testFraction > 0;
  }

  private static void share(String key, double fraction, int block) {
    if (!(fraction >= 0 && fraction < 1)) {
      throw new ConfigKeyException(key, "must be at least 0 and below 1, not " + fraction);
    }
    if (fraction > 0 && block == 0) {
      throw new ConfigKeyException(key, "is of blocks; give block, or ranges alone");
    }
  }

  private static List<Bound> pair(String key, List<Bound> range) {
    if (!range.isEmpty() && range.size() != 2) {
      throw new ConfigKeyException(key, "needs two ends, as in [1982, 1988], not " + range);
    }
    return List.copyOf(range);
  }

  /** From YAML, with defaults for what is left out. */
  @JsonCreator
  static SplitConfig fromYaml(
      @JsonProperty("by") @Nullable String by,
      @JsonProperty("train") @Nullable List<Bound> train,
      @JsonProperty("validation") @Nullable List<Bound> validation,
      @JsonProperty("test") @Nullable List<Bound> test,
      @JsonProperty("block") @Nullable Integer block,
      @JsonProperty("validation_fraction") @Nullable Double validationFraction,
      @JsonProperty("test_fraction") @Nullable Double testFraction) {
    return new SplitConfig(
        by == null ? "" : by,
        train == null ? List.of() : train,
        validation == null ? List.of() : validation,
        test == null ? List.of() : test,
        block == null ? 0 : block,
        validationFraction == null ? 0 : validationFraction,
        testFraction == null ? 0 : testFraction);
  }
}
