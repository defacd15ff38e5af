package dev.lockstep.data;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Files without a name in {@code java.io.tmpdir}: they vanish when they are closed, or the JVM. */
public final class TemporaryFile {
  private TemporaryFile() {}

  /**
   * Opens one for reading and writing.
   *
   * @throws IOException if the folder cannot be written to
   */
  public static FileChannel open() throws IOException {
    Path file = Files.createTempFile("lockstep-", ".tmp");
    try {
      return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    } finally {
      Files.delete(file); // Linux keeps what is open.
    }
  }

  /** The folder, for messages. */
  public static Path folder() {
    return Path.of(System.getProperty("java.io.tmpdir"));
  }

  /** Appends all of a buffer. */
  public static void append(FileChannel file, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      file.write(bytes);
    }
  }

  /**
   * Fills the rest of a buffer from a position on.
   *
   * @throws EOFException if the file ends before
   */
  public static void read(FileChannel file, ByteBuffer bytes, long position) throws IOException {
    for (long at = position; bytes.hasRemaining(); ) {
      int count = file.read(bytes, at);
      if (count < 0) {
        throw new EOFException("ends at byte " + at);
      }
      at += count;
    }
  }
}
