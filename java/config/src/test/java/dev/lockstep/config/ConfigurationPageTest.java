package dev.lockstep.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code -Dlockstep.writeDocs=true} writes the page. */
class ConfigurationPageTest {
  private static final Path ROOT = Path.of(System.getProperty("lockstep.repository"));
  private static final Path PAGE = ROOT.resolve("docs/configuration.md");

  /** Variables of tests, and of builds. */
  private static final Set<String> NOT_OF_USERS =
      Set.of(
          "LOCKSTEP_API",
          "LOCKSTEP_MPI_BINDINGS",
          "LOCKSTEP_MPI_PLUGIN",
          "LOCKSTEP_MPI_RANK",
          "LOCKSTEP_MPIRUN",
          "LOCKSTEP_TEST_TRANSPORT");

  @Test
  void thePageSaysWhatTheRecordsSay() throws IOException {
    String text = ConfigurationPage.text();
    if (Boolean.getBoolean("lockstep.writeDocs")) {
      Files.writeString(PAGE, text);
    }
    assertEquals(
        text,
        Files.exists(PAGE) ? Files.readString(PAGE) : "",
        "docs/configuration.md is not up to date: run this test with -Dlockstep.writeDocs=true");
  }

  @Test
  void everyKeyIsFoundAndExplained() {
    assertEquals("whole number", ConfigReference.explain("training.batch_size").get(0).type());
    assertEquals("`256`", ConfigReference.explain("training.batch_size").get(0).standard());
    assertTrue(ConfigReference.explain("optimizer").size() >= 9);
    assertTrue(ConfigReference.explain("no.such").isEmpty());
    assertEquals("training.epochs", ConfigReference.nearest("training.epoch").orElseThrow());
  }

  @Test
  void everyEnvironmentVariableThatIsReadIsListed() throws IOException {
    Set<String> read = new TreeSet<>();
    for (Path module : RecordJavadoc.modules()) {
      collect(module.resolve("src/main"), "\"(LOCKSTEP_[A-Z_]+[A-Z])\"", read);
      Path launch = module.resolve("src/main/java/dev/lockstep/comm");
      if (Files.isDirectory(launch)) {
        collect(
            launch,
            "\"((?:OMPI|PMIX?|SLURM|MASTER|WORLD|LOCAL|TORCHELASTIC|GLOO|MPI)_[A-Z_]+)\"",
            read);
      }
    }
    collect(ROOT.resolve("native-src"), "getenv\\(\"(LOCKSTEP_[A-Z_]+)\"\\)", read);
    collect(ROOT.resolve("hpc/lockstep"), "\\$\\{(LOCKSTEP_[A-Z_]+)", read);
    read.removeAll(NOT_OF_USERS);
    Set<String> listed =
        Arrays.stream(EnvironmentVariable.values()).map(Enum::name).collect(Collectors.toSet());
    read.removeAll(listed);
    assertEquals(Set.of(), read, "read, but not in EnvironmentVariable");
  }

  private static void collect(Path from, String pattern, Set<String> found) throws IOException {
    Pattern names = Pattern.compile(pattern);
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        boolean text = file.toString().matches(".*(\\.java|\\.cc|\\.h|/lockstep)");
        if (text && !file.toString().contains("/test/")) {
          Matcher name = names.matcher(Files.readString(file));
          while (name.find()) {
            found.add(name.group(1));
          }
        }
      }
    }
  }
}
