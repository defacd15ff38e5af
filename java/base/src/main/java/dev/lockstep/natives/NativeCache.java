package dev.lockstep.natives;

import dev.lockstep.LockstepException;
import java.io.File;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/**
 * The folder into which JavaCPP unpacks native libraries: {@code LOCKSTEP_CACHE} for every JVM, not
 * only for those that {@code hpc/lockstep} starts, else JavaCPP's own choice. Thread-safe.
 */
public final class NativeCache {
  private static final String VARIABLE = "LOCKSTEP_CACHE";
  private static final String PROPERTY = "org.bytedeco.javacpp.cachedir";
  private static final String LOCK_FILE = "lockstep-unpack.lock";

  private NativeCache() {}

  /**
   * Makes {@code LOCKSTEP_CACHE} JavaCPP's folder; to be called before it unpacks anything. A
   * folder that cannot be used is an error: JavaCPP would silently take another one, which on a
   * cluster is the shared home directory.
   *
   * @throws NativeCacheException when the folder cannot be written
   */
  public static void useFolderOfEnvironment() {
    String named = System.getenv(VARIABLE);
    if (named == null || named.isBlank()) {
      return;
    }
    if (System.getProperty(PROPERTY) == null) {
      System.setProperty(PROPERTY, named);
    }
    try {
      Path folder = Files.createDirectories(Path.of(System.getProperty(PROPERTY)));
      if (!Files.isWritable(folder)) {
        throw new AccessDeniedException(folder.toString());
      }
    } catch (IOException e) {
      throw new NativeCacheException(
          VARIABLE + "=" + named + " cannot be used: " + reason(e) + ". Name another folder.", e);
    }
  }

  private static String reason(IOException e) {
    if (e instanceof FileAlreadyExistsException) {
      return "it is a file";
    }
    return e instanceof AccessDeniedException ? "it cannot be written" : "it cannot be made";
  }

  /**
   * Initialises JavaCPP's pointers, with the environment's folder, before anything else of it. Left
   * to chance, a thread that initialises {@link Pointer} holds the class and waits for the loader,
   * while another that loads a library holds the loader and waits for the class, both for good.
   *
   * @throws NativeCacheException when the folder cannot be written
   */
  public static void initializePointers() {
    useFolderOfEnvironment();
    try {
      MethodHandles.lookup().ensureInitialized(Pointer.class);
    } catch (IllegalAccessException e) {
      throw new AssertionError("Pointer is a public class", e);
    }
  }

  /** Where JavaCPP keeps the unpacked libraries; best on a disk of this node. */
  public static Path folder() {
    try {
      return Loader.getCacheDir().toPath();
    } catch (IOException e) {
      throw new LockstepException(
          "JavaCPP has no folder for its cache: "
              + e.getMessage()
              + ". Name one with LOCKSTEP_CACHE or -Dorg.bytedeco.javacpp.cachedir.",
          e);
    }
  }

  /**
   * Waits until no other process unpacks into the folder: ranks that start together would race.
   * Closing the channel of the lock lets the next one in.
   */
  public static FileChannel lock() throws IOException {
    FileChannel channel =
        FileChannel.open(
            folder().resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      channel.lock();
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Unpacks all libraries of one of the JavaCPP presets, and returns their files.
   *
   * @param name of the preset, such as {@code pytorch}
   * @throws IOException when its jar for this platform is not on the class path, or the disk is
   *     full
   */
  public static List<File> unpackPreset(String name) throws IOException {
    String folder = "/org/bytedeco/" + name + "/" + Loader.getPlatform() + "/";
    List<File> files = new ArrayList<>();
    for (File unpacked : Loader.cacheResources(folder)) {
      File[] inside = unpacked.listFiles();
      files.addAll(inside == null ? List.of(unpacked) : List.of(inside));
    }
    if (files.isEmpty()) {
      throw new IOException("the jar that holds " + folder + " is not on the class path");
    }
    return files;
  }
}
