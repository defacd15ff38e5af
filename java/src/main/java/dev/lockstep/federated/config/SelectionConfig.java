package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.train.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.selection}: which clients take part in a round.
 *
 * @param type how they are drawn
 * @param candidates of {@link Type#POWER_OF_CHOICE}: clients that are asked for their loss, at
 *     least 1; twice the clients of a round if left out
 */
public record SelectionConfig(Type type, @Nullable Integer candidates) {

  /** Ways to draw clients. */
  public enum Type {
    /** Each alike, without repeats; a fixed number. Changes are weighted by samples. */
    @JsonProperty("uniform")
    UNIFORM,
    /** Each with probability per_round ÷ clients, independently, so that the number varies. */
    @JsonProperty("poisson")
    POISSON,
    /**
     * By samples, with repeats; changes are then weighted alike, which makes their mean unbiased
     * (Li et al. 2020, scheme I).
     */
    @JsonProperty("weighted")
    WEIGHTED,
    /** Of some candidates drawn by samples those with the highest loss (Cho, Wang, Joshi 2022). */
    @JsonProperty("power_of_choice")
    POWER_OF_CHOICE
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public SelectionConfig {
    if (candidates != null) {
      Checks.atLeast("candidates", candidates, 1);
    }
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static SelectionConfig of(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("candidates") @Nullable Integer candidates) {
    return new SelectionConfig(type == null ? Type.UNIFORM : type, candidates);
  }

  /** Each alike. */
  public static SelectionConfig defaults() {
    return of(null, null);
  }
}
