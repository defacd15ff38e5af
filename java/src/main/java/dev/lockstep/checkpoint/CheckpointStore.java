package dev.lockstep.checkpoint;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/**
 * A folder of checkpoints, one sub-folder each, named {@code step-000000000120}.
 *
 * <p>One process writes at a time; any number may read.
 */
public final class CheckpointStore {
  /**
   * Names a store; nothing is touched on disk until {@link #save}.
   *
   * @param folder the folder of the checkpoints, made when the first is saved
   * @param keep how many of the newest stay, at least 1
   */
  public CheckpointStore(Path folder, int keep) {
    throw new UnsupportedOperationException("not yet on this branch");
  }

  /**
   * Writes a checkpoint, then deletes all but the newest {@code keep}.
   *
   * @param checkpoint the state to write
   * @return the checkpoint's folder
   * @throws CheckpointException if it could not be written; earlier checkpoints are intact
   */
  public Path save(Checkpoint checkpoint) {
    throw new UnsupportedOperationException("not yet on this branch");
  }

  /**
   * Finds the newest checkpoint that is whole and acceptable.
   *
   * @param reasonToRefuse what the caller has against a checkpoint, for example that it is of
   *     another model; empty to accept it
   * @return the checkpoint, and those that were passed over
   */
  public CheckpointSearch latest(Function<Checkpoint, Optional<String>> reasonToRefuse) {
    throw new UnsupportedOperationException("not yet on this branch");
  }

  /**
   * Reads one checkpoint.
   *
   * @param checkpoint the checkpoint's folder
   * @return the state as it was saved
   * @throws CheckpointException if it is torn, corrupt or foreign, with the reason
   */
  public static Checkpoint load(Path checkpoint) {
    throw new UnsupportedOperationException("not yet on this branch");
  }
}
