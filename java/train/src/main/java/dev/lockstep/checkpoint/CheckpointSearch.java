package dev.lockstep.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@link CheckpointStore#latest} found.
 *
 * @param checkpoint the newest usable checkpoint, empty if there is none
 * @param refused newer ones that could not be used, newest first
 */
public record CheckpointSearch(Optional<Checkpoint> checkpoint, List<Refusal> refused) {
  /** Copies the list. */
  public CheckpointSearch {
    refused = List.copyOf(refused);
  }

  /**
   * A checkpoint that was passed over.
   *
   * @param folder where it lies; it is left as it is
   * @param reason one sentence that says what is wrong with it
   */
  public record Refusal(Path folder, String reason) {}
}
