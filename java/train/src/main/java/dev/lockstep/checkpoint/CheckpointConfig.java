package dev.lockstep.checkpoint;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import org.jspecify.annotations.Nullable;

/**
 * The {@code checkpoints} section of a run's configuration. Each {@code every} that is not null
 * counts; without any, a checkpoint is kept after each epoch. The last step's is always kept.
 *
 * @param everyEpochs epochs between checkpoints, at least 1
 * @param everySteps optimiser steps between checkpoints, at least 1
 * @param everySeconds seconds between checkpoints, above 0
 * @param keep how many of the newest checkpoints stay on disk, at least 1
 */
public record CheckpointConfig(
    @Nullable Integer everyEpochs,
    @Nullable Long everySteps,
    @Nullable Double everySeconds,
    int keep) {
  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public CheckpointConfig {
    if (everyEpochs != null && everyEpochs < 1) {
      throw new ConfigKeyException("every_epochs", "must be at least 1, not " + everyEpochs + ".");
    }
    if (everySteps != null && everySteps < 1) {
      throw new ConfigKeyException("every_steps", "must be at least 1, not " + everySteps + ".");
    }
    if (everySeconds != null && !(everySeconds > 0 && Double.isFinite(everySeconds))) {
      throw new ConfigKeyException("every_seconds", "must be above 0, not " + everySeconds + ".");
    }
    if (keep < 1) {
      throw new ConfigKeyException("keep", "must be at least 1, not " + keep + ".");
    }
  }

  /** So many epochs between checkpoints. */
  public CheckpointConfig(int everyEpochs, int keep) {
    this(everyEpochs, null, null, keep);
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @param everyEpochs the key's value, or null
   * @param everySteps the key's value, or null
   * @param everySeconds the key's value, or null
   * @param keep the key's value, or null for 3
   * @return the section
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static CheckpointConfig of(
      @JsonProperty("every_epochs") @Nullable Integer everyEpochs,
      @JsonProperty("every_steps") @Nullable Long everySteps,
      @JsonProperty("every_seconds") @Nullable Double everySeconds,
      @JsonProperty("keep") @Nullable Integer keep) {
    boolean none = everyEpochs == null && everySteps == null && everySeconds == null;
    return new CheckpointConfig(
        none ? Integer.valueOf(1) : everyEpochs, everySteps, everySeconds, keep == null ? 3 : keep);
  }

  /** So many epochs between checkpoints. */
  public static CheckpointConfig of(int everyEpochs, int keep) {
    return new CheckpointConfig(everyEpochs, keep);
  }

  /**
   * Returns the section that a configuration without one has.
   *
   * @return every epoch, the newest three kept
   */
  public static CheckpointConfig defaults() {
    return of(null, null, null, null);
  }
}
