package dev.lockstep.checkpoint;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import org.jspecify.annotations.Nullable;

/**
 * The {@code checkpoints} section of a run's configuration.
 *
 * @param everyEpochs epochs between checkpoints, at least 1; the last epoch is always kept
 * @param keep how many of the newest checkpoints stay on disk, at least 1
 */
public record CheckpointConfig(int everyEpochs, int keep) {
  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public CheckpointConfig {
    if (everyEpochs < 1) {
      throw new ConfigKeyException("every_epochs", "must be at least 1, not " + everyEpochs + ".");
    }
    if (keep < 1) {
      throw new ConfigKeyException("keep", "must be at least 1, not " + keep + ".");
    }
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @param everyEpochs the key's value, or null for 1
   * @param keep the key's value, or null for 3
   * @return the section
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static CheckpointConfig of(
      @JsonProperty("every_epochs") @Nullable Integer everyEpochs,
      @JsonProperty("keep") @Nullable Integer keep) {
    return new CheckpointConfig(everyEpochs == null ? 1 : everyEpochs, keep == null ? 3 : keep);
  }

  /**
   * Returns the section that a configuration without one has.
   *
   * @return every epoch, the newest three kept
   */
  public static CheckpointConfig defaults() {
    return of(null, null);
  }
}
