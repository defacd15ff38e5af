package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A made-up regression problem of known shape; see {@link SyntheticData}.
 *
 * @param samples how many samples
 * @param features how many features, named x0, x1, …
 * @param targets how many targets, named y0, y1, …
 * @param noise standard deviation of the normal noise on every target; the signal's is about 1
 * @param seed of everything
 */
public record SyntheticConfig(long samples, int features, int targets, double noise, long seed) {

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public SyntheticConfig {
    if (samples < 1) {
      throw new ConfigKeyException("samples", "must be at least 1, not " + samples);
    }
    if (features < 1) {
      throw new ConfigKeyException("features", "must be at least 1, not " + features);
    }
    if (targets < 1) {
      throw new ConfigKeyException("targets", "must be at least 1, not " + targets);
    }
    if (!(noise >= 0 && Double.isFinite(noise))) {
      throw new ConfigKeyException("noise", "must be a number from 0 on, not " + noise);
    }
  }

  /** From YAML, with defaults for what is left out: 10,000 samples, 8 features, 1 target. */
  @JsonCreator
  static SyntheticConfig fromYaml(
      @JsonProperty("samples") @Nullable Long samples,
      @JsonProperty("features") @Nullable Integer features,
      @JsonProperty("targets") @Nullable Integer targets,
      @JsonProperty("noise") @Nullable Double noise,
      @JsonProperty("seed") @Nullable Long seed) {
    return new SyntheticConfig(
        samples == null ? 10_000 : samples,
        features == null ? 8 : features,
        targets == null ? 1 : targets,
        noise == null ? 0.1 : noise,
        seed == null ? 0 : seed);
  }

  List<String> featureNames() {
    return IntStream.range(0, features).mapToObj(i -> "x" + i).toList();
  }

  List<String> targetNames() {
    return IntStream.range(0, targets).mapToObj(i -> "y" + i).toList();
  }
}
