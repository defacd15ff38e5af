package dev.lockstep.jni.presets;

import dev.lockstep.natives.NativeCache;
import dev.lockstep.natives.build.NativeBuild;
import org.bytedeco.javacpp.ClassProperties;
import org.bytedeco.javacpp.LoadEnabled;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP's parser what the JNI boundary is: the headers of {@code
 * native-src/include/lockstep}, functions over handles, addresses and lengths. An exception that
 * leaves native code carries its code and rank in front of the message ({@code
 * lockstep::Error::encoded}); {@code dev.lockstep.comm} turns it into a typed one.
 */
@Properties(
    value =
        @Platform(
            include = {
              "lockstep/types.h",
              "lockstep/communicator.h",
              "lockstep/channel.h",
              "lockstep/statistics.h",
              "lockstep/memory.h",
              "lockstep/gradient.h",
              "lockstep/compression.h",
              "lockstep/fused.h",
              "lockstep/localization.h",
              "lockstep/learning.h",
              "lockstep/error.h"
            },
            define = {
              "GENERIC_EXCEPTION_CLASS lockstep::Error",
              "GENERIC_EXCEPTION_TOSTRING encoded()",
            },
            library = "jnilockstep",
            link = "lockstep"),
    target = "dev.lockstep.jni",
    global = "dev.lockstep.jni.Native")
public class NativePreset implements InfoMapper, LoadEnabled {
  // The bindings' class extends this one, so this comes before it loads its library.
  static {
    if (Loader.isLoadLibraries()) {
      NativeCache.initializePointers();
    }
  }

  @Override
  public void map(InfoMap infoMap) {
    infoMap
        .put(new Info("LOCKSTEP_API").cppTypes().annotations())
        .put(new Info("lockstep::Error").skip());
  }

  /** Names the folder of the libraries that belong to these classes, and where to unpack them. */
  @Override
  public void init(ClassProperties properties) {
    if (Loader.isLoadLibraries()) {
      NativeCache.useFolderOfEnvironment();
      NativeBuild build =
          NativeBuild.require("dev/lockstep/jni", "Lockstep's native libraries", "lockstep-comm");
      properties.setProperty("platform.extension", build.extension());
    }
  }
}
