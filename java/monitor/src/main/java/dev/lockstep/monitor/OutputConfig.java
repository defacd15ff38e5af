package dev.lockstep.monitor;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import org.jspecify.annotations.Nullable;

/**
 * The {@code output} section of a run's configuration.
 *
 * @param folder where run folders are made, relative to the working directory unless absolute
 * @param plots whether to draw {@code loss.png}, {@code prediction.png} and, of fields, {@code
 *     maps.png}
 * @param tensorboard whether to write TensorBoard event files
 * @param progress how progress is shown
 */
public record OutputConfig(String folder, boolean plots, boolean tensorboard, Progress progress) {
  /** How progress is shown on the console. */
  public enum Progress {
    /** A bar on a terminal, plain lines otherwise. */
    @JsonProperty("auto")
    AUTO,
    /** A bar within the epoch, and a line an epoch. */
    @JsonProperty("bar")
    BAR,
    /** A line an epoch. */
    @JsonProperty("plain")
    PLAIN,
    /** Nothing. */
    @JsonProperty("none")
    NONE
  }

  /**
   * Checks the folder.
   *
   * @throws IllegalArgumentException if the folder is empty; the message names the key
   */
  public OutputConfig {
    if (folder.isBlank()) {
      throw new ConfigKeyException("folder", "must name a folder, for example runs.");
    }
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @param folder the key's value, or null for {@code runs}
   * @param plots the key's value, or null for true
   * @param tensorboard the key's value, or null for true
   * @param progress the key's value, or null for {@code auto}
   * @return the section
   * @throws IllegalArgumentException if a value is not valid
   */
  @JsonCreator
  public static OutputConfig of(
      @JsonProperty("folder") @Nullable String folder,
      @JsonProperty("plots") @Nullable Boolean plots,
      @JsonProperty("tensorboard") @Nullable Boolean tensorboard,
      @JsonProperty("progress") @Nullable Progress progress) {
    return new OutputConfig(
        folder == null ? "runs" : folder,
        plots == null || plots,
        tensorboard == null || tensorboard,
        progress == null ? Progress.AUTO : progress);
  }

  /**
   * Returns the section that a configuration without one has.
   *
   * @return {@code runs}, plots and TensorBoard on, progress {@code auto}
   */
  public static OutputConfig defaults() {
    return of(null, null, null, null);
  }
}
