package dev.lockstep.natives;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever a process touches first, JavaCPP's pointers are initialised before a library is loaded.
 * The other way round two threads can wait for each other for good: one holds the class Pointer and
 * waits for the loader, the other holds the loader and waits for the class.
 */
class LoadingOrderTest {
  @TempDir Path folder;

  /** Another process. */
  static final class FirstTouch {
    private FirstTouch() {}

    public static void main(String[] arguments) {
      if (arguments[0].equals("memory")) {
        NativeMemory.allocate(8).close();
      } else {
        Communicator.single().close();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"memory", "group"})
  void pointersComeBeforeLibraries(String first) throws Exception {
    Path log = folder.resolve("classes.log");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xlog:class+init=info:file=" + log,
                "-cp",
                System.getProperty("java.class.path"),
                FirstTouch.class.getName(),
                first)
            .inheritIO()
            .start();
    try {
      assertTrue(process.waitFor(120, SECONDS), "the process hangs");
    } finally {
      process.destroyForcibly();
    }
    assertEquals(0, process.exitValue());
    List<String> lines = Files.readAllLines(log);
    int pointer = initialisation(lines, "org/bytedeco/javacpp/Pointer");
    int library = initialisation(lines, "dev/lockstep/jni/Native");
    assertTrue(pointer < library, lines.get(library) + " before " + lines.get(pointer));
  }

  private static int initialisation(List<String> lines, String name) {
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).contains("Initializing '" + name + "'")) {
        return i;
      }
    }
    throw new AssertionError("the log names no initialisation of " + name);
  }
}
