package dev.lockstep.natives.build;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Classes and native libraries of different builds. */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class NativeBuildTest {
  private static final String PACKAGE = "dev/lockstep/jni";
  private static final String LIBRARY = "libjnilockstep.so";

  /** Opens a group of one and says what went wrong. */
  static final class Program {
    public static void main(String[] arguments) {
      try (Communicator alone = Communicator.single()) {
        System.out.println("ranks: " + alone.size());
      } catch (NativeBuildError e) {
        System.out.println("refused: " + e.getMessage());
      }
    }
  }

  /** Unpacks a library: arguments are the name of its jar and of its entry. */
  static final class Unpack {
    public static void main(String[] arguments) throws Exception {
      String url = "jar:" + Path.of(arguments[0]).toUri() + "!/" + arguments[1];
      File file = Loader.cacheResource(URI.create(url).toURL());
      System.out.println(Files.readString(file.toPath(), US_ASCII));
    }
  }

  @TempDir private Path folder;

  private static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), US_ASCII).strip();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), output);
    return output;
  }

  private String java(String classPath, Class<?> program, String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache"));
    command.addAll(List.of("-cp", classPath, program.getName()));
    command.addAll(List.of(arguments));
    return run(command.toArray(new String[0]));
  }

  /**
   * A jar as a reproducible build makes it, with one library, under one name, and all entries of
   * one time. @return the path of the library in it
   */
  private String jarOfLibrary(String contents, Path jar) throws Exception {
    Path classes = folder.resolve("classes-" + contents);
    Path plain = classes.resolve(PACKAGE).resolve(Loader.getPlatform());
    Files.createDirectories(plain);
    Files.writeString(plain.resolve(LIBRARY), contents, US_ASCII);
    run(
        "cmake",
        "-DCLASSES=" + classes,
        "-DPLATFORM=" + Loader.getPlatform(),
        "-DPACKAGES=" + PACKAGE,
        "-P",
        Path.of(System.getProperty("lockstep.repository"), "cmake/name_natives.cmake").toString());
    try (Stream<Path> files = Files.walk(classes);
        OutputStream file = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(file)) {
      Path library = files.filter(f -> f.endsWith(LIBRARY)).findFirst().orElseThrow();
      String name = classes.relativize(library).toString();
      ZipEntry entry = new ZipEntry(name);
      entry.setTime(1_000_000_000_000L);
      zip.putNextEntry(entry);
      zip.write(Files.readAllBytes(library));
      zip.closeEntry();
      return name;
    }
  }

  @Test
  void aRebuiltLibraryOfTheSameSizeAndTimeIsUnpackedAgain() throws Exception {
    Path jar = folder.resolve("lockstep.jar");
    String classPath = System.getProperty("java.class.path");
    String old = jarOfLibrary("old!", jar);
    assertEquals("old!", java(classPath, Unpack.class, jar.toString(), old));
    String rebuilt = jarOfLibrary("new!", jar);
    assertEquals("new!", java(classPath, Unpack.class, jar.toString(), rebuilt));
  }

  /** Writes a note that hides the build's own. @return a class path with it in front */
  private String withNote(String suffix, String hash) throws IOException {
    Path note = folder.resolve(suffix).resolve(PACKAGE).resolve(Loader.getPlatform() + suffix);
    Files.createDirectories(note.getParent());
    Files.writeString(note, hash, US_ASCII);
    return folder.resolve(suffix) + File.pathSeparator + System.getProperty("java.class.path");
  }

  @Test
  void librariesOfAnotherBuildAreRefused() throws Exception {
    String classPath = withNote(".natives", "0123456789abcdef");
    String output = java(classPath, Program.class);
    assertTrue(output.contains("refused: "), output);
    assertTrue(output.contains("of another build (0123456789abcdef)"), output);
  }

  @Test
  void classesWithoutTheirLibrariesSayWhichJarIsMissing() throws Exception {
    Path classes = folder.resolve("classes-alone");
    Path built = Path.of(Program.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path main = built.resolveSibling("classes");
    try (Stream<Path> files = Files.walk(main)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!file.toString().endsWith(".so") && !file.toString().endsWith(".natives")) {
          Path copy = classes.resolve(main.relativize(file).toString());
          Files.createDirectories(copy.getParent());
          Files.copy(file, copy);
        }
      }
    }
    String classPath =
        System.getProperty("java.class.path").replace(main.toString(), classes.toString());
    String output = java(classPath, Program.class);
    assertTrue(
        output.contains("refused: Lockstep's native libraries are not on the class path"), output);
    assertTrue(output.contains("-" + Loader.getPlatform() + ".jar"), output);
  }
}
