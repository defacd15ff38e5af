package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which samples of fields to train on, which to hold out and which to keep for the end: ranges of a
 * coordinate, both ends included. A sample belongs where its targets lie; one whose targets lie in
 * several ranges belongs nowhere.
 *
 * @param by the dimension of samples whose coordinate decides
 * @param train two ends, as in {@code [1982, 1988]}
 * @param validation likewise; nothing is held out if left out
 * @param test likewise; scored once, when training is over
 */
public record SplitConfig(String by, List<Bound> train, List<Bound> validation, List<Bound> test) {
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
      throw new ConfigKeyException("by", "name the dimension whose coordinate splits the samples");
    }
    if (train.isEmpty()) {
      throw new ConfigKeyException("train", "give the range to train on, as in [1982, 1988]");
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
      @JsonProperty("test") @Nullable List<Bound> test) {
    return new SplitConfig(
        by == null ? "" : by,
        train == null ? List.of() : train,
        validation == null ? List.of() : validation,
        test == null ? List.of() : test);
  }
}
