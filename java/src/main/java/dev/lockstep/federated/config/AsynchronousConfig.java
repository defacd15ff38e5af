package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.train.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.asynchronous}, FedBuff's server: it steps whenever {@code buffer}
 * clients have answered, whichever model they began with. A change that began s models ago counts
 * 1/√(1 + s).
 *
 * @param buffer answers of a step, at least 1
 * @param concurrency clients that train at any time, at least {@code buffer}
 */
public record AsynchronousConfig(int buffer, int concurrency) {
  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public AsynchronousConfig {
    Checks.atLeast("buffer", buffer, 1);
    Checks.atLeast("concurrency", concurrency, buffer);
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static AsynchronousConfig of(
      @JsonProperty("buffer") @Nullable Integer buffer,
      @JsonProperty("concurrency") @Nullable Integer concurrency) {
    int size = buffer == null ? 10 : buffer;
    return new AsynchronousConfig(size, concurrency == null ? 2 * size : concurrency);
  }
}
