package dev.lockstep.monitor;

import java.nio.file.Path;

/**
 * The folder of one run, {@code <output folder>/<name>/}, and where things lie in it.
 *
 * @param path the folder
 */
public record RunFolder(Path path) {
  /**
   * Returns where the trained model goes.
   *
   * @return {@code model.pt}
   */
  public Path model() {
    return path.resolve("model.pt");
  }

  /**
   * Returns where checkpoints go.
   *
   * @return {@code checkpoints}
   */
  public Path checkpoints() {
    return path.resolve("checkpoints");
  }
}
