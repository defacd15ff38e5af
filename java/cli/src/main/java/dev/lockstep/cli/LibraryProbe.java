package dev.lockstep.cli;

import dev.lockstep.comm.MpiLibrary;
import dev.lockstep.torch.TorchLibraries;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch_gloo;

/**
 * Loads a native library in a process of its own, which a broken library may kill without harm to
 * {@code doctor}.
 */
final class LibraryProbe {
  private static final String LIBTORCH = "libtorch";
  private static final String GLOO = "gloo";
  private static final long LIMIT_SECONDS = 120;

  private LibraryProbe() {}

  /**
   * What came of it.
   *
   * @param loaded whether the library works
   * @param text one line about it
   */
  record Result(boolean loaded, String text) {}

  /**
   * The process: loads libtorch, its Gloo, or the library at the given path, and says something
   * about it.
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments[0].equals(GLOO)) {
      TorchLibraries.load();
      Loader.load(torch_gloo.class);
      System.out.println("works, with libtorch's Gloo; needs --backend gloo");
      return;
    }
    if (!arguments[0].equals(LIBTORCH)) {
      System.load(arguments[0]);
      System.out.println("loads");
      return;
    }
    TorchLibraries.load();
    System.out.printf(
        Locale.ROOT,
        "%s loads, %d threads by default%n",
        Loader.getVersion("org.bytedeco", "pytorch"),
        torch.get_num_threads());
  }

  static Result libtorch() {
    return probe(LIBTORCH);
  }

  static Result gloo() {
    return probe(GLOO);
  }

  static Result library(String path) {
    return probe(path);
  }

  /** The version of the C library, such as 2.36; empty where it is not glibc. */
  static String glibc() {
    return firstLine("getconf", "GNU_LIBC_VERSION").replaceFirst("^glibc ", "");
  }

  /** Whether the mpirun on the PATH starts ranks of the library, as the end of a line. */
  static String launcher(MpiLibrary library) {
    String version = firstLine("mpirun", "--version");
    if (version.isEmpty()) {
      return "; no mpirun on the PATH";
    }
    boolean openMpi = version.contains("Open MPI") || version.contains("OpenRTE");
    boolean same = openMpi == (library == MpiLibrary.OPEN_MPI);
    return same
        ? "; mpirun launches it"
        : "; mpirun is the other MPI's, use mpirun."
            + (library == MpiLibrary.OPEN_MPI ? "openmpi" : "mpich");
  }

  /** What a program says first; empty when there is none or it fails. */
  private static String firstLine(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      List<String> lines = process.inputReader().lines().toList();
      boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
      return ended && process.exitValue() == 0 && !lines.isEmpty() ? lines.get(0) : "";
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  private static Result probe(String library) {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + File.separator + "bin" + File.separator + "java");
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.add("-XX:-CreateCoredumpOnCrash");
    command.add("-XX:ErrorFile=" + File.separator + "dev" + File.separator + "null");
    String cache = System.getProperty("org.bytedeco.javacpp.cachedir");
    if (cache != null) {
      command.add("-Dorg.bytedeco.javacpp.cachedir=" + cache);
    }
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(LibraryProbe.class.getName());
    command.add(library);
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return new Result(false, "did not load within " + LIMIT_SECONDS + " s");
      }
      return describe(process.exitValue(), process.inputReader().lines().toList());
    } catch (IOException e) {
      return new Result(false, "cannot be tried: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Result(false, "was interrupted");
    }
  }

  private static Result describe(int exitCode, List<String> output) {
    if (exitCode == 0) {
      return new Result(true, output.isEmpty() ? "loads" : output.get(output.size() - 1));
    }
    String reason =
        output.stream()
            .filter(line -> line.contains("Exception") || line.contains("Error:"))
            .findFirst()
            .orElse("ends its process with code " + exitCode);
    return new Result(false, reason.replaceFirst("^Exception in thread \"main\" \\S+: ", ""));
  }
}
