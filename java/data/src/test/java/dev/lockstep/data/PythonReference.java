package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Runs scripts that lie beside the tests with a Python that has certain packages: {@code
 * .cache/python}, which hpc/test.sh makes, or what {@code LOCKSTEP_TEST_PYTHON} names.
 */
public record PythonReference(String python, List<String> modules) {
  private static final int SECONDS_TO_START = 60;

  /** The first that can import all of these; empty if none can. */
  public static Optional<PythonReference> with(String imports) throws InterruptedException {
    List<String> known = new ArrayList<>();
    if (System.getenv("LOCKSTEP_TEST_PYTHON") != null) {
      known.add(System.getenv("LOCKSTEP_TEST_PYTHON"));
    }
    String root = System.getProperty("lockstep.repository", "..");
    known.addAll(
        List.of(root + "/.cache/python/bin/python", ".cache/python/bin/python", "python3"));
    for (String python : known) {
      if (succeeds(python, "-c", "import " + imports)) {
        return Optional.of(new PythonReference(python, List.of()));
      }
    }
    return Optional.empty();
  }

  /** The same with scripts that the one to run imports. */
  public PythonReference copying(String... scripts) {
    return new PythonReference(python, List.of(scripts));
  }

  /** What is printed is read as UTF-8, whatever the locale. */
  private static ProcessBuilder builder(String... command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("PYTHONUTF8", "1");
    return builder;
  }

  private static boolean succeeds(String... command) throws InterruptedException {
    try {
      Process process =
          builder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(SECONDS_TO_START, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  /** Runs a script; returns what it prints. Fails if it fails or takes too long. */
  public String run(Path folder, String script, int seconds, String... arguments)
      throws IOException, InterruptedException {
    for (String module : modules) {
      copy(folder, module);
    }
    List<String> command = new ArrayList<>(List.of(python, copy(folder, script).toString()));
    command.addAll(List.of(arguments));
    Path log = folder.resolve(script + ".log");
    Process process =
        builder(command.toArray(new String[0]))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
    process.destroyForcibly();
    String printed = Files.readString(log, StandardCharsets.UTF_8);
    assertTrue(ended, () -> script + " takes more than " + seconds + " s: " + printed);
    assertEquals(0, process.exitValue(), printed);
    return printed;
  }

  private static Path copy(Path folder, String script) throws IOException {
    try (InputStream in = PythonReference.class.getResourceAsStream(script)) {
      return Files.write(folder.resolve(script), Objects.requireNonNull(in, script).readAllBytes());
    }
  }
}
