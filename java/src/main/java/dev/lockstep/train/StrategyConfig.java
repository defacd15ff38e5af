package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * The {@code strategy} section of a configuration: how ranks work together.
 *
 * @param type what they share, and when
 * @param firstBucketMib for {@link Type#DATA_PARALLEL}: MiB of gradients that are sent first, small
 *     so that sending begins early
 * @param bucketMib for {@link Type#DATA_PARALLEL}: MiB of gradients sent at once after that
 * @param averageEvery for {@link Type#LOCAL_SGD}: optimiser steps between averages, at least 1
 */
public record StrategyConfig(Type type, double firstBucketMib, double bucketMib, int averageEvery) {

  /** Strategies. */
  public enum Type {
    /** Gradients are summed at every step. */
    @JsonProperty("data_parallel")
    DATA_PARALLEL,
    /** Ranks train on their own and average their parameters now and then. */
    @JsonProperty("local_sgd")
    LOCAL_SGD
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public StrategyConfig {
    Checks.positive("first_bucket_mib", firstBucketMib);
    Checks.positive("bucket_mib", bucketMib);
    Checks.atLeast("average_every", averageEvery, 1);
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static StrategyConfig of(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("first_bucket_mib") @Nullable Double firstBucketMib,
      @JsonProperty("bucket_mib") @Nullable Double bucketMib,
      @JsonProperty("average_every") @Nullable Integer averageEvery) {
    return new StrategyConfig(
        type == null ? Type.DATA_PARALLEL : type,
        firstBucketMib == null ? 1 : firstBucketMib,
        bucketMib == null ? 25 : bucketMib,
        averageEvery == null ? 1 : averageEvery);
  }

  /** Data-parallel with buckets of 1 MiB, then 25 MiB. */
  public static StrategyConfig defaults() {
    return of(null, null, null, null);
  }
}
