package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import org.jspecify.annotations.Nullable;

/**
 * The {@code schedule} section of a configuration: how the learning rate changes.
 *
 * @param type how it falls
 * @param warmupSteps optimiser steps over which it first rises in equal parts; 0 for none
 * @param stepEpochs for {@link Type#STEP}: epochs between falls, at least 1
 * @param gamma for {@link Type#STEP}: what it is multiplied by, in (0, 1]
 * @param minimum for {@link Type#COSINE}: what it falls to at the last step, at least 0
 */
public record ScheduleConfig(
    Type type, int warmupSteps, int stepEpochs, double gamma, double minimum) {

  /** Schedules. */
  public enum Type {
    /** It stays. */
    @JsonProperty("constant")
    CONSTANT,
    /** It falls by a factor every few epochs. */
    @JsonProperty("step")
    STEP,
    /** It falls along half a cosine, Loshchilov and Hutter (2017), without restarts. */
    @JsonProperty("cosine")
    COSINE
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public ScheduleConfig {
    Checks.atLeast("warmup_steps", warmupSteps, 0);
    Checks.atLeast("step_epochs", stepEpochs, 1);
    if (!(gamma > 0 && gamma <= 1)) {
      throw new ConfigKeyException("gamma", "must be above 0 and at most 1, not " + gamma + ".");
    }
    Checks.notNegative("minimum", minimum);
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static ScheduleConfig of(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("warmup_steps") @Nullable Integer warmupSteps,
      @JsonProperty("step_epochs") @Nullable Integer stepEpochs,
      @JsonProperty("gamma") @Nullable Double gamma,
      @JsonProperty("minimum") @Nullable Double minimum) {
    return new ScheduleConfig(
        type == null ? Type.CONSTANT : type,
        warmupSteps == null ? 0 : warmupSteps,
        stepEpochs == null ? 10 : stepEpochs,
        gamma == null ? 0.1 : gamma,
        minimum == null ? 0 : minimum);
  }

  /** A constant learning rate. */
  public static ScheduleConfig defaults() {
    return of(null, null, null, null, null);
  }
}
