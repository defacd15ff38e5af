package dev.lockstep.natives;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.testing.RankThreads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a process touches first, and where, harms nothing that comes later. */
class LoadingOrderTest {
  @TempDir Path folder;

  /** Another process. */
  static final class FirstTouch {
    private FirstTouch() {}

    public static void main(String[] arguments) throws Exception {
      switch (arguments[0]) {
        case "memory" -> NativeMemory.allocate(8).close();
        case "group" -> Communicator.single().close();
        default -> {
          try (PointerScope scope = new PointerScope()) {
            Communicator.single().close();
          }
          RankThreads.run(2, group -> group.allReduce(new double[] {1}, ReduceOp.SUM));
        }
      }
    }
  }

  /** As a host application has one around its own tensors. */
  @Test
  void aFirstGroupWithinAScopeLeavesLaterOnesWhole() throws Exception {
    start("scope", List.of());
  }

  /**
   * The other way round two threads can wait for each other for good: one holds the class Pointer
   * and waits for the loader, the other holds the loader and waits for the class.
   */
  @ParameterizedTest
  @ValueSource(strings = {"memory", "group"})
  void pointersComeBeforeLibraries(String first) throws Exception {
    Path log = folder.resolve("classes.log");
    start(first, List.of("-Xlog:class+init=info:file=" + log));
    List<String> lines = Files.readAllLines(log);
    int pointer = initialisation(lines, "org/bytedeco/javacpp/Pointer");
    int library = initialisation(lines, "dev/lockstep/jni/Native");
    assertTrue(pointer < library, lines.get(library) + " before " + lines.get(pointer));
  }

  private static void start(String first, List<String> flags) throws Exception {
    List<String> command = new ArrayList<>(RankProcesses.javaCommand(FirstTouch.class, first));
    command.addAll(1, flags);
    Process process = new ProcessBuilder(command).inheritIO().start();
    try {
      assertTrue(process.waitFor(120, SECONDS), "the process hangs");
    } finally {
      process.destroyForcibly();
    }
    assertEquals(0, process.exitValue());
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
