package dev.lockstep.comm;

import org.jspecify.annotations.Nullable;

/**
 * The {@code communicator} section of a configuration.
 *
 * @param backend {@code auto}: MPI or TCP as the environment says, and shared memory between ranks
 *     of one host; {@code shared_memory}: the same, and an error where a host's ranks can share
 *     none; {@code mpi} and {@code tcp}: that alone; {@code single}: a group of one
 * @param timeoutSeconds deadline of each operation and of forming the group
 * @param tuning the tuning file of this cluster, as {@code lockstep bench tune} writes it; that of
 *     rank 0 counts. Without it {@code LOCKSTEP_TUNING} names the file, or the built-in table is
 *     used.
 * @param algorithms algorithms that a user chooses
 */
public record CommunicatorConfig(
    @Nullable Choice backend,
    @Nullable Double timeoutSeconds,
    @Nullable String tuning,
    @Nullable AlgorithmConfig algorithms) {

  private static final double DEFAULT_TIMEOUT_SECONDS = 60;

  /** The backends that a configuration can ask for. */
  public enum Choice {
    AUTO,
    SHARED_MEMORY,
    MPI,
    TCP,
    SINGLE
  }

  public CommunicatorConfig {
    backend = backend == null ? Choice.AUTO : backend;
    timeoutSeconds =
        timeoutSeconds == null ? Double.valueOf(DEFAULT_TIMEOUT_SECONDS) : timeoutSeconds;
    algorithms = algorithms == null ? AlgorithmConfig.defaults() : algorithms;
    if (!(timeoutSeconds > 0)) {
      throw new IllegalArgumentException(
          "communicator.timeout_seconds is " + timeoutSeconds + "; it must be above 0.");
    }
  }

  /** With the built-in tuning, or that of the environment. */
  public CommunicatorConfig(@Nullable Choice backend, @Nullable Double timeoutSeconds) {
    this(backend, timeoutSeconds, null, null);
  }

  public static CommunicatorConfig defaults() {
    return new CommunicatorConfig(null, null);
  }
}
