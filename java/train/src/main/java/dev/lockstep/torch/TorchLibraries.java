package dev.lockstep.torch;

import dev.lockstep.LockstepException;
import dev.lockstep.natives.NativeCache;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
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
 * LD_LIBRARY_PATH} are asked.
 *
 * <p>Thread-safe.
 */
public final class TorchLibraries {
  /** Each after what it needs, so that the dynamic linker finds nothing left to search for. */
  private static final List<String> DEPENDENCY_ORDER =
      List.of("libgomp.so.1", "libc10.so", "libtorch_cpu.so", "libtorch.so");

  private static boolean loaded;

  private TorchLibraries() {}

  /**
   * Unpacks and loads once for each process; later calls return at once.
   *
   * @throws LockstepException when the cache folder cannot be written or a library does not load
   */
  public static synchronized void load() {
    if (loaded) {
      return;
    }
    NativeCache.initializePointers();
    Path cache = NativeCache.folder();
    try {
      List<File> libraries = unpack();
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

  /** Returns the files of libtorch itself. */
  private static List<File> unpack() throws IOException {
    try (FileChannel ignored = NativeCache.lock()) {
      NativeCache.unpackPreset("javacpp");
      NativeCache.unpackPreset("openblas");
      return NativeCache.unpackPreset("pytorch");
    }
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
