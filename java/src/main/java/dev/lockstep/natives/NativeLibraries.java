package dev.lockstep.natives;

import dev.lockstep.LockstepException;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.pytorch.global.torch;

/**
 * Unpacks libtorch and what it needs from the jars, all of it, before any of it is loaded.
 *
 * <p>Left alone, JavaCPP unpacks and loads one library after the other. With a cold cache {@code
 * libtorch.so} is then loaded while the preset's {@code libtorch_cpu.so} is not there yet; the
 * dynamic linker takes another version of it from the system (Debian's {@code libtorch-dev}, which
 * python3-torch brings), and the JVM dies of a SIGSEGV. Here everything is unpacked first and
 * loaded by its path, dependencies first, so that neither the system's libraries nor {@code
 * LD_LIBRARY_PATH} are asked. Ranks that start together would also race on the unpacking; a file
 * lock in the cache folder puts them in a row.
 *
 * <p>Thread-safe.
 */
public final class NativeLibraries {
  private static final String CACHE_VARIABLE = "LOCKSTEP_CACHE";
  private static final String CACHE_PROPERTY = "org.bytedeco.javacpp.cachedir";
  private static final String LOCK_FILE = "lockstep-unpack.lock";

  /** Each after what it needs, so that the dynamic linker finds nothing left to search for. */
  private static final List<String> DEPENDENCY_ORDER =
      List.of("libgomp.so.1", "libc10.so", "libtorch_cpu.so", "libtorch.so");

  private static boolean loaded;

  private NativeLibraries() {}

  /**
   * Unpacks and loads once for each process; later calls return at once.
   *
   * @throws LockstepException when the cache folder cannot be written or a library does not load
   */
  public static synchronized void load() {
    if (loaded) {
      return;
    }
    useCacheOfEnvironment();
    Path cache = cacheFolder();
    try {
      List<File> libraries = unpack(cache);
      Loader.load(openblas.class);
      for (String name : DEPENDENCY_ORDER) {
        loadByPath(libraries, name);
      }
      Loader.load(torch.class);
    } catch (IOException e) {
      throw new LockstepException(
          "Cannot unpack libtorch into "
              + cache
              + ": "
              + e.getMessage()
              + ". It needs 500 MB there; LOCKSTEP_CACHE (or -Dorg.bytedeco.javacpp.cachedir) names"
              + " another folder.",
          e);
    } catch (LinkageError e) {
      throw new LockstepException(
          "libtorch does not load from " + cache + ": " + e.getMessage(), e);
    }
    loaded = true;
  }

  /**
   * LOCKSTEP_CACHE holds for every JVM, not only for those that {@code hpc/lockstep} starts. A
   * folder that cannot be used is an error: JavaCPP would silently take another one, which on a
   * cluster is the shared home directory.
   */
  private static void useCacheOfEnvironment() {
    String named = System.getenv(CACHE_VARIABLE);
    if (named == null || named.isBlank()) {
      return;
    }
    if (System.getProperty(CACHE_PROPERTY) == null) {
      System.setProperty(CACHE_PROPERTY, named);
    }
    try {
      Path folder = Files.createDirectories(Path.of(System.getProperty(CACHE_PROPERTY)));
      if (!Files.isWritable(folder)) {
        throw new AccessDeniedException(folder.toString());
      }
    } catch (IOException e) {
      throw new LockstepException(
          CACHE_VARIABLE + "=" + named + " cannot be used as a folder: " + e + ". Name another.",
          e);
    }
  }

  /** Where JavaCPP keeps the unpacked libraries; best on a disk of this node. */
  public static Path cacheFolder() {
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

  /** Returns the files of libtorch itself. */
  private static List<File> unpack(Path cache) throws IOException {
    try (FileChannel channel =
            FileChannel.open(
                cache.resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock ignored = channel.lock()) {
      unpackPreset("javacpp");
      unpackPreset("openblas");
      return unpackPreset("pytorch");
    }
  }

  private static List<File> unpackPreset(String name) throws IOException {
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

  private static void loadByPath(List<File> libraries, String name) throws IOException {
    for (File library : libraries) {
      if (library.getName().equals(name)) {
        String stem = name.substring("lib".length(), name.indexOf(".so"));
        Loader.loadLibrary(torch.class, new URL[] {library.toURI().toURL()}, stem);
        return;
      }
    }
    throw new IOException("the jar of libtorch does not hold " + name);
  }
}
