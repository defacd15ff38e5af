package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.monitor.RunFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A strategy in a jar of its own, that of examples/strategy, works as those of this library. */
@Timeout(180)
class StrategyJarTest {
  private static final Path ROOT = Path.of(System.getProperty("lockstep.repository"));
  private static final Path PROJECT = ROOT.resolve("examples/strategy/src/main");
  private static final Path PROGRAM = ROOT.resolve("hpc/lockstep");
  private static final String CLASS_PATH = System.getProperty("java.class.path");

  @TempDir Path folder;
  private Path jar;
  private Path config;

  @BeforeEach
  void build() throws IOException {
    Path classes = Files.createDirectories(folder.resolve("classes"));
    int result =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-proc:none",
                "-parameters",
                "-d",
                classes.toString(),
                "-cp",
                CLASS_PATH,
                PROJECT.resolve("java/example/SignSgd.java").toString());
    assertEquals(0, result, "the example compiles");
    jar = folder.resolve("sign-sgd.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      add(classes, out);
      add(PROJECT.resolve("resources"), out);
    }
    config = folder.resolve("run.yaml");
    Files.writeString(
        config,
        """
        name: own
        data: {synthetic: {samples: 200}}
        model: {hidden: [8]}
        training: {epochs: 2, batch_size: 50}
        optimizer: {type: sgd, learning_rate: 0.01}
        strategy: {type: sign_sgd, quorum: 2}
        output: {folder: %s, progress: plain, plots: false}
        """
            .replace("%s", folder.toString()));
  }

  private static void add(Path root, JarOutputStream out) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        out.putNextEntry(new JarEntry(root.relativize(file).toString()));
        Files.copy(file, out);
        out.closeEntry();
      }
    }
  }

  private String run(int exitCode, List<String> arguments) throws Exception {
    List<String> command =
        Stream.concat(Stream.of(PROGRAM.toString()), arguments.stream()).toList();
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LOCKSTEP_CLASSPATH", jar.toString());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    CompletableFuture.delayedExecutor(120, TimeUnit.SECONDS).execute(process::destroyForcibly);
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(exitCode, process.waitFor(), output);
    return output;
  }

  @Test
  void twoRanksTrainByIt() throws Exception {
    run(0, List.of("launch", "-n", "2", "--", "train", config.toString()));
    assertTrue(Files.exists(new RunFolder(folder.resolve("own")).model()));
    assertEquals(8, Runs.checkpoint(folder.resolve("own")).step());
  }

  @Test
  void itsKeysAreCheckedAsOurs() throws Exception {
    String output = run(3, List.of("train", config.toString(), "--set", "strategy.quorums=1"));
    assertTrue(
        output.contains(
            "unknown key \"strategy.quorums\"; the nearest valid key is \"strategy.quorum\""),
        output);
    output = run(3, List.of("train", config.toString(), "--set", "strategy.quorum=0"));
    assertTrue(output.contains("quorum: must be at least 1, not 0."), output);
    output = run(3, List.of("train", config.toString(), "--set", "strategy.type=sign_sdg"));
    assertTrue(output.contains("must be one of data_parallel, "), output);
    assertTrue(output.contains(", sign_sgd, "), output);
    assertTrue(output.contains(", not \"sign_sdg\""), output);
  }

  @Test
  void itIsVerifiedAsOurs() throws Exception {
    List<String> few =
        List.of("verify", "strategy", "sign_sgd", "--ranks=2", "--schedules=1", "--faults=1");
    String output = run(0, few);
    assertTrue(output.contains("all 7 checks passed on 2 ranks"), output);
  }
}
