package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.partition}: which client has which samples.
 *
 * @param type how they are dealt
 * @param alpha of {@link Type#DIRICHLET}, above 0: the smaller, the fewer classes a client has
 * @param minimum of {@link Type#DIRICHLET}: samples that each client has at least, at least 1; the
 *     classes are dealt anew until that is so
 * @param classesPerClient of {@link Type#SHARDS}, at least 1
 * @param column of {@link Type#COLUMN}: a feature or target of the data
 * @param file of {@link Type#GIVEN}
 */
public record PartitionConfig(
    Type type,
    double alpha,
    int minimum,
    int classesPerClient,
    @Nullable String column,
    @Nullable String file) {

  /** Kinds of partitions. */
  public enum Type {
    /** By chance, in parts of nearly equal size. */
    @JsonProperty("iid")
    IID,
    /** Shares of each class from a Dirichlet distribution (Hsu, Qi and Brown 2019). */
    @JsonProperty("dirichlet")
    DIRICHLET,
    /** Samples in the order of their classes, cut into shards (McMahan et al. 2017). */
    @JsonProperty("shards")
    SHARDS,
    /** A client for each value of a column, such as a station or a region. */
    @JsonProperty("column")
    COLUMN,
    /** As a file has it: a line for each client, with the numbers of its samples. */
    @JsonProperty("given")
    GIVEN;

    /** Whether the number of clients follows from the data. */
    boolean knowsClients() {
      return this == COLUMN || this == GIVEN;
    }

    /** Whether it needs class numbers. */
    public boolean ofClasses() {
      return this == DIRICHLET || this == SHARDS;
    }
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public PartitionConfig {
    Checks.positive("alpha", alpha);
    Checks.atLeast("minimum", minimum, 1);
    Checks.atLeast("classes_per_client", classesPerClient, 1);
    if ((type == Type.COLUMN) != (column != null)) {
      throw new ConfigKeyException(
          "column",
          type == Type.COLUMN ? "is missing; name a feature or target" : "is of type: column only");
    }
    if ((type == Type.GIVEN) != (file != null)) {
      throw new ConfigKeyException(
          "file",
          type == Type.GIVEN
              ? "is missing; name one with a line of sample numbers for each client"
              : "is of type: given only");
    }
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static PartitionConfig of(
      @JsonProperty("type") @Nullable Type type,
      @JsonProperty("alpha") @Nullable Double alpha,
      @JsonProperty("minimum") @Nullable Integer minimum,
      @JsonProperty("classes_per_client") @Nullable Integer classesPerClient,
      @JsonProperty("column") @Nullable String column,
      @JsonProperty("file") @Nullable String file) {
    return new PartitionConfig(
        type == null ? Type.IID : type,
        alpha == null ? 0.5 : alpha,
        minimum == null ? 10 : minimum,
        classesPerClient == null ? 2 : classesPerClient,
        column,
        file);
  }

  /** By chance. */
  public static PartitionConfig defaults() {
    return of(null, null, null, null, null, null);
  }
}
