package dev.lockstep.natives.build;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/**
 * Which native libraries belong to these classes.
 *
 * <p>The build puts the libraries of a package into a folder whose name ends in a hash of their
 * contents ({@code linux-x86_64-0123456789abcdef}) and notes that hash beside the classes ({@code
 * linux-x86_64.build}) and beside the libraries ({@code linux-x86_64.natives}); the two notes are
 * in different jars. JavaCPP unpacks a library again only when its size or time differs, and all
 * entries of a reproducible jar carry one time; with the hash in the path, another build is another
 * file. Classes look for no other folder, so that they never run libraries of another build.
 *
 * @param packagePath where the libraries are, such as {@code dev/lockstep/jni}
 * @param hash of the libraries' contents, 16 hexadecimal digits
 */
public record NativeBuild(String packagePath, String hash) {
  /**
   * The build that the classes of {@code packagePath} belong to, or null when it has no libraries
   * for this platform.
   */
  public static @Nullable NativeBuild find(String packagePath) {
    String hash = note(packagePath, ".build");
    return hash == null ? null : new NativeBuild(packagePath, hash);
  }

  /**
   * As {@link #find}, after a check that the libraries are on the class path.
   *
   * @param title of the libraries, for the message
   * @param artifact whose jars hold classes and libraries, for the message
   * @throws NativeBuildError when they are not, or only those of another build
   */
  public static NativeBuild require(String packagePath, String title, String artifact) {
    NativeBuild build = find(packagePath);
    if (build == null) {
      throw new NativeBuildError(
          "This build of Lockstep has no native libraries for " + Loader.getPlatform() + ".");
    }
    String there = note(packagePath, ".natives");
    if (there == null) {
      throw new NativeBuildError(
          title
              + " are not on the class path: add the jar "
              + artifact
              + "-<version>-"
              + Loader.getPlatform()
              + ".jar (Maven: the classifier "
              + Loader.getPlatform()
              + ").");
    }
    if (!there.equals(build.hash)) {
      throw new NativeBuildError(
          title
              + " on the class path are of another build ("
              + there
              + ") than the classes (which need "
              + build.hash
              + "): take both jars from the same build.");
    }
    return build;
  }

  /** What JavaCPP appends to the platform's name to find the folder. */
  public String extension() {
    return "-" + hash;
  }

  /** Where a library is, or null when this build has none of that name. */
  public @Nullable URL library(String fileName) {
    return NativeBuild.class.getResource(
        "/" + packagePath + "/" + Loader.getPlatform() + extension() + "/" + fileName);
  }

  private static @Nullable String note(String packagePath, String suffix) {
    String name = "/" + packagePath + "/" + Loader.getPlatform() + suffix;
    try (InputStream note = NativeBuild.class.getResourceAsStream(name)) {
      return note == null
          ? null
          : new String(note.readAllBytes(), StandardCharsets.US_ASCII).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + name + " from the class path", e);
    }
  }
}
