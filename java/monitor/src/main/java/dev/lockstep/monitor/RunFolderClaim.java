package dev.lockstep.monitor;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right to write into a run folder, held by one process at a time: a lock on the file {@code
 * .lock} in it, which the operating system releases however the process ends.
 */
final class RunFolderClaim implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RunFolderClaim.class);

  private final FileChannel lock;
  private final Optional<Path> kept;

  private RunFolderClaim(FileChannel lock, Optional<Path> kept) {
    this.lock = lock;
    this.kept = kept;
  }

  /** Where the run that had the folder before is now. */
  Optional<Path> kept() {
    return kept;
  }

  /** Whether a new run can have the folder: nobody is at work in it, and its parent is a folder. */
  static void check(RunFolder folder) {
    Path path = folder.path();
    try {
      if (Files.isDirectory(path) && !isEmptyFolder(path)) {
        lock(path).close();
      }
      for (Path above = path.toAbsolutePath().getParent();
          above != null;
          above = above.getParent()) {
        if (Files.exists(above) && !Files.isDirectory(above)) {
          throw new NotDirectoryException(above.toString());
        }
      }
    } catch (IOException e) {
      throw RunFolderException.writing(path, e);
    }
  }

  /**
   * Makes the folder of a new run. What lies under its name already is kept as {@code <name>.1}, or
   * the next number that is free.
   */
  static RunFolderClaim fresh(RunFolder folder) {
    Path path = folder.path();
    Optional<Path> kept = Optional.empty();
    try {
      if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && !isEmptyFolder(path)) {
        kept = Optional.of(moveAside(path));
      }
      Files.createDirectories(path);
      return new RunFolderClaim(lock(path), kept);
    } catch (IOException e) {
      throw RunFolderException.writing(path, e);
    }
  }

  /** Takes up the folder of an earlier run. */
  static RunFolderClaim resumed(RunFolder folder) {
    Path path = folder.path();
    try {
      return new RunFolderClaim(lock(path), Optional.empty());
    } catch (IOException e) {
      throw RunFolderException.writing(path, e);
    }
  }

  private static Path moveAside(Path path) throws IOException {
    // Taking the lock shows that no other process is at work in there.
    if (Files.isDirectory(path)) {
      lock(path).close();
    }
    int number = 1;
    while (Files.exists(numbered(path, number), LinkOption.NOFOLLOW_LINKS)) {
      number++;
    }
    Path kept = numbered(path, number);
    Files.move(path, kept, StandardCopyOption.ATOMIC_MOVE);
    log.info("The earlier run in {} is kept as {}.", path, kept);
    return kept;
  }

  private static Path numbered(Path path, int number) {
    return path.resolveSibling(path.getFileName() + "." + number);
  }

  private static boolean isEmptyFolder(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return false;
    }
    try (DirectoryStream<Path> children = Files.newDirectoryStream(path)) {
      return !children.iterator().hasNext();
    }
  }

  private static FileChannel lock(Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(
            path.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean taken;
    try {
      taken = channel.tryLock() != null;
    } catch (OverlappingFileLockException anotherRunOfThisProcess) {
      taken = false;
    } catch (IOException e) {
      log.warn(
          "The file system of {} has no locks ({}); see to it that no two runs use this folder.",
          path,
          e.getMessage());
      taken = true;
    }
    if (!taken) {
      channel.close();
      throw new RunFolderException(
          String.format(
              Locale.ROOT,
              "Another run is at work in %s. Give this one another name, or wait for the other to end.",
              path));
    }
    return channel;
  }

  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      log.warn("The lock of a run folder could not be closed: {}.", e.getMessage());
    }
  }
}
