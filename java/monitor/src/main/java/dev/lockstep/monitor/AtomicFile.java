package dev.lockstep.monitor;

import dev.lockstep.files.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Replaces a file in one step: a reader sees the old content or the new, never a part. */
public final class AtomicFile {
  private AtomicFile() {}

  /**
   * Writes bytes.
   *
   * @throws RunFolderException naming the file and the reason when it cannot be written
   */
  public static void replace(Path file, byte[] content) {
    try {
      DurableFiles.replace(file, content);
    } catch (IOException e) {
      throw RunFolderException.writing(file, e);
    }
  }

  /** Writes text in UTF-8; as the other. */
  public static void replace(Path file, String content) {
    replace(file, content.getBytes(StandardCharsets.UTF_8));
  }
}
