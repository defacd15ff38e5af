package dev.lockstep.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Cold caches, in processes of their own: a failure is a SIGSEGV. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TorchLibrariesTest {
  /** Loads libtorch and computes with it. */
  static final class Program {
    public static void main(String[] arguments) {
      TorchLibraries.load();
      System.out.println(torch.ones(3).sum().item_double());
    }
  }

  @TempDir private Path folder;

  private Process start() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=/dev/null",
                "-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("cache"),
                "-cp",
                System.getProperty("java.class.path"),
                Program.class.getName())
            .redirectErrorStream(true);
    builder.environment().put("LD_LIBRARY_PATH", folder.toString());
    return builder.start();
  }

  /** A libtorch_cpu.so that the dynamic linker would find, as Debian's libtorch-dev puts one. */
  private void installAnotherLibtorch() throws Exception {
    Path source = Files.writeString(folder.resolve("other.cc"), "int other_libtorch;\n");
    String library = folder.resolve("libtorch_cpu.so").toString();
    Process compiler =
        new ProcessBuilder(
                "c++",
                "-shared",
                "-fPIC",
                "-Wl,-soname,libtorch_cpu.so",
                "-o",
                library,
                source.toString())
            .inheritIO()
            .start();
    assertTrue(compiler.waitFor(100, TimeUnit.SECONDS));
    assertEquals(0, compiler.exitValue());
  }

  @Test
  void ranksThatStartTogetherWithAColdCacheLoadTheirOwnLibtorch() throws Exception {
    installAnotherLibtorch();
    List<Process> ranks = new ArrayList<>();
    try {
      for (int rank = 0; rank < 3; rank++) {
        ranks.add(start());
      }
      for (Process rank : ranks) {
        String output = new String(rank.getInputStream().readAllBytes());
        assertTrue(output.contains("3.0"), output);
        assertTrue(rank.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, rank.exitValue(), output);
      }
    } finally {
      ranks.forEach(Process::destroyForcibly);
    }
  }
}
