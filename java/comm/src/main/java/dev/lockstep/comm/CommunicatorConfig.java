package dev.lockstep.comm;

import static java.util.Objects.requireNonNull;

import dev.lockstep.ConfigKeyException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The {@code communicator} section of a configuration.
 *
 * @param backend {@code auto}: MPI or TCP as the environment says, and shared memory between ranks
 *     of one host; {@code shared_memory}: the same, and an error where a host's ranks can share
 *     none; {@code mpi}, {@code tcp} and {@code gloo}: that alone; {@code single}: a group of one
 * @param timeoutSeconds deadline of each operation and of forming the group
 * @param tuning the tuning file of this cluster, as {@code lockstep bench tune} writes it; that of
 *     rank 0 counts. Without it {@code LOCKSTEP_TUNING} names the file, or the built-in table is
 *     used.
 * @param algorithms algorithms that a user chooses
 * @param stallSeconds how long a wait takes until the log tells who waits for whom
 * @param flightRecorder folder for the last operations before an error; null for {@code
 *     LOCKSTEP_FLIGHT_RECORDER}, and where that is not set, for no file
 * @param timeline file for the timeline of all ranks' operations, in Chrome's trace format; null
 *     for {@code LOCKSTEP_TIMELINE}, and where that is not set, for none
 */
public record CommunicatorConfig(
    @Nullable Choice backend,
    @Nullable Double timeoutSeconds,
    @Nullable String tuning,
    @Nullable AlgorithmConfig algorithms,
    @Nullable Double stallSeconds,
    @Nullable String flightRecorder,
    @Nullable String timeline) {

  private static final double DEFAULT_TIMEOUT_SECONDS = 60;
  private static final double DEFAULT_STALL_SECONDS = 10;

  /** The backends that a configuration can ask for. */
  public enum Choice {
    AUTO,
    SHARED_MEMORY,
    MPI,
    TCP,
    GLOO,
    SINGLE
  }

  public CommunicatorConfig {
    backend = backend == null ? Choice.AUTO : backend;
    timeoutSeconds =
        timeoutSeconds == null ? Double.valueOf(DEFAULT_TIMEOUT_SECONDS) : timeoutSeconds;
    algorithms = algorithms == null ? AlgorithmConfig.defaults() : algorithms;
    if (!(timeoutSeconds > 0)) {
      throw new ConfigKeyException(
          "timeout_seconds", "must be above 0, not " + timeoutSeconds + ".");
    }
    stallSeconds = stallSeconds == null ? Double.valueOf(DEFAULT_STALL_SECONDS) : stallSeconds;
    if (!(stallSeconds > 0)) {
      throw new ConfigKeyException("stall_seconds", "must be above 0, not " + stallSeconds + ".");
    }
  }

  @Override
  public Choice backend() {
    return requireNonNull(backend);
  }

  @Override
  public Double timeoutSeconds() {
    return requireNonNull(timeoutSeconds);
  }

  @Override
  public AlgorithmConfig algorithms() {
    return requireNonNull(algorithms);
  }

  @Override
  public Double stallSeconds() {
    return requireNonNull(stallSeconds);
  }

  /** With the other keys at their defaults. */
  public CommunicatorConfig(@Nullable Choice backend, @Nullable Double timeoutSeconds) {
    this(backend, timeoutSeconds, null, null, null, null, null);
  }

  /** The same with another folder for the last operations before an error. */
  public CommunicatorConfig withFlightRecorder(String folder) {
    return new CommunicatorConfig(
        backend, timeoutSeconds, tuning, algorithms, stallSeconds, folder, timeline);
  }

  /** Where the last operations before an error go, by the key or by the environment. */
  public Optional<Path> flightRecorderFolder() {
    return path(flightRecorder, "LOCKSTEP_FLIGHT_RECORDER");
  }

  /** Where the timeline goes, by the key or by the environment. */
  public Optional<Path> timelineFile() {
    return path(timeline, "LOCKSTEP_TIMELINE");
  }

  private static Optional<Path> path(@Nullable String key, String variable) {
    String text = key != null ? key : System.getenv(variable);
    return text == null || text.isBlank() ? Optional.empty() : Optional.of(Path.of(text));
  }

  public static CommunicatorConfig defaults() {
    return new CommunicatorConfig(null, null);
  }
}
