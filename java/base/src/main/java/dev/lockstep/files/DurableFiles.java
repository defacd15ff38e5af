package dev.lockstep.files;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** File operations that are on the disk, not only in memory, when they return. */
public final class DurableFiles {
  private DurableFiles() {}

  /** Something that fills an open file. */
  public interface Content {
    void writeTo(WritableByteChannel file) throws IOException;
  }

  /** Something that makes a file of a given name. */
  public interface Writer {
    void write(Path file) throws IOException;
  }

  /** Writes a new file and syncs it. */
  public static FileSeal write(Path file, Content content) throws IOException {
    return write(file, content, UnaryOperator.identity());
  }

  /**
   * As the other, through a channel around the file's.
   *
   * @param around gives what passes bytes on to the file, for example slowly
   */
  public static FileSeal write(
      Path file, Content content, UnaryOperator<WritableByteChannel> around) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      HashingChannel hashing = new HashingChannel(around.apply(channel));
      content.writeTo(hashing);
      channel.force(true);
      return hashing.seal();
    }
  }

  /**
   * Replaces a file in one step: a reader sees the old content or the new, never a part; a failure
   * leaves the old.
   */
  public static void replace(Path file, Content content) throws IOException {
    replaceWith(file, temporary -> write(temporary, content));
  }

  /** As {@link #replace}, for libraries that write files by name; syncs what they have written. */
  public static void replaceWith(Path file, Writer writer) throws IOException {
    Path temporary = file.resolveSibling(".tmp-" + file.getFileName());
    try {
      Files.deleteIfExists(temporary);
      writer.write(temporary);
      try (FileChannel written = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        written.force(true);
      }
      rename(temporary, file);
    } catch (IOException | RuntimeException e) {
      try {
        Files.deleteIfExists(temporary);
      } catch (IOException leftover) {
        e.addSuppressed(leftover);
      }
      throw e;
    }
  }

  /** As the other. */
  public static void replace(Path file, byte[] content) throws IOException {
    replace(file, channel -> channel.write(ByteBuffer.wrap(content)));
  }

  /** As the other, with text in UTF-8. */
  public static void replace(Path file, String content) throws IOException {
    replace(file, content.getBytes(StandardCharsets.UTF_8));
  }

  /** Syncs a folder's list of names. */
  public static void syncFolder(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Renames in one step, over what has the new name, and syncs the folder that holds it. */
  public static void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    syncFolder(parent(to));
  }

  private static Path parent(Path file) {
    return requireNonNull(file.toAbsolutePath().getParent(), "a file has a folder");
  }

  /** Whether two names are those of one file; false where one of them names none. */
  public static boolean isSame(Path one, Path other) {
    try {
      return Files.exists(one) && Files.exists(other) && Files.isSameFile(one, other);
    } catch (IOException e) {
      return false;
    }
  }

  /** What a folder holds, sorted by name. */
  public static List<Path> children(Path folder) throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children.sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Deletes a file or a whole folder, if it is there; links are not followed. */
  public static void deleteTree(Path path) throws IOException {
    if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      for (Path child : children(path)) {
        deleteTree(child);
      }
    }
    Files.deleteIfExists(path);
  }

  /** What went wrong, without the path that Java's messages consist of or begin with. */
  public static String reason(Throwable e) {
    if (e instanceof NoSuchFileException) {
      return "it is missing";
    }
    if (e instanceof AccessDeniedException) {
      return "access is denied";
    }
    if (e instanceof FileSystemException file && file.getReason() != null) {
      return file.getReason();
    }
    return String.valueOf(e.getMessage());
  }
}
