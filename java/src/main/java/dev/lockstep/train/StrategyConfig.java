package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.comm.Backend;
import dev.lockstep.comm.Communicator;
import org.jspecify.annotations.Nullable;

/**
 * The {@code strategy} section of a configuration: how ranks work together.
 *
 * @param type what they share, and when
 * @param firstBucketMib for {@link Type#DATA_PARALLEL}: MiB of gradients that are sent first, small
 *     so that sending begins early
 * @param bucketMib for {@link Type#DATA_PARALLEL}: MiB of gradients sent at once after that
 * @param averageEvery for {@link Type#LOCAL_SGD}: optimiser steps between averages, at least 1
 * @param fused for {@link Type#DATA_PARALLEL}: whether ranks of one host share one set of
 *     parameters and optimiser state, and reduce and update a slice of it each; null: where they
 *     can. The result has the same bits
 */
public record StrategyConfig(
    Type type, double firstBucketMib, double bucketMib, int averageEvery, @Nullable Boolean fused) {

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
      @JsonProperty("average_every") @Nullable Integer averageEvery,
      @JsonProperty("fused") @Nullable Boolean fused) {
    return new StrategyConfig(
        type == null ? Type.DATA_PARALLEL : type,
        firstBucketMib == null ? 1 : firstBucketMib,
        bucketMib == null ? 25 : bucketMib,
        averageEvery == null ? 1 : averageEvery,
        fused);
  }

  /** As the other, fused where the ranks can. */
  public static StrategyConfig of(
      @Nullable Type type,
      @Nullable Double firstBucketMib,
      @Nullable Double bucketMib,
      @Nullable Integer averageEvery) {
    return of(type, firstBucketMib, bucketMib, averageEvery, null);
  }

  /** The same with parameters that are shared, or not. */
  public StrategyConfig withFused(boolean shared) {
    return new StrategyConfig(type, firstBucketMib, bucketMib, averageEvery, shared);
  }

  /** Whether the ranks of this group share one set of parameters. */
  boolean isFusedOn(Communicator group) {
    boolean can = group.size() > 1 && group.backend() == Backend.SHARED_MEMORY;
    return type == Type.DATA_PARALLEL && (fused == null ? can : fused);
  }

  /** Data-parallel with buckets of 1 MiB, then 25 MiB. */
  public static StrategyConfig defaults() {
    return of(null, null, null, null);
  }
}
