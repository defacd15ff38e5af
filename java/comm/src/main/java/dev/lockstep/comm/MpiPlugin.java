package dev.lockstep.comm;

import dev.lockstep.natives.NativeCache;
import dev.lockstep.natives.build.NativeBuild;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.util.Objects;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/** Finds the backend library of an MPI on the file system. */
public final class MpiPlugin {
  private static final String CORE = "liblockstep.so";

  private MpiPlugin() {}

  /** Whether this build has a backend for the library; it need not load here. */
  public static boolean isBuilt(MpiLibrary library) {
    return resource(library) != null;
  }

  private static @Nullable URL resource(MpiLibrary library) {
    return resource(library.fileName());
  }

  private static @Nullable URL resource(String fileName) {
    return NativeBuild.require("dev/lockstep/jni", "Lockstep's native libraries", "lockstep-comm")
        .library(fileName);
  }

  /**
   * Path of the backend library, unpacked from the jar when it must be, and what it is linked
   * against beside it.
   *
   * @throws BackendUnavailableException when the build had no such MPI
   */
  public static String path(MpiLibrary library) {
    URL resource = resource(library);
    if (resource == null) {
      throw new BackendUnavailableException(
          "This build of Lockstep has no backend for "
              + library.title()
              + ". Install it (Debian and Ubuntu: "
              + library.debianPackage()
              + "), run the build again, or launch with `hpc/lockstep launch` instead of mpirun.",
          CommunicationException.NO_RANK,
          null);
    }
    NativeCache.useFolderOfEnvironment();
    try {
      Loader.cacheResource(Objects.requireNonNull(resource(CORE)));
      File file = Loader.cacheResource(resource);
      return file.getPath();
    } catch (IOException e) {
      throw new BackendUnavailableException(
          "Cannot unpack " + library.fileName() + " into the JavaCPP cache: " + e.getMessage(),
          CommunicationException.NO_RANK,
          e);
    }
  }
}
