package dev.lockstep.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.RunConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What docs/coming-from.md says is the way here, compiles and is a configuration. */
class ComingFromTest {
  private static final Path ROOT = Path.of(System.getProperty("lockstep.repository"));
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final Pattern YAML =
      Pattern.compile("(strategy|training|model|schedule|checkpoints|output|communicator): \\{.*}");

  @Test
  void everyLineStandsInTheExampleAndEveryConfigurationIsOne() throws IOException {
    String example =
        code(
            Files.readString(
                ROOT.resolve(
                    "java/lockstep/src/examples/java/dev/lockstep/examples/ComingFrom.java")));
    int lines = 0;
    int configurations = 0;
    for (String row : Files.readAllLines(ROOT.resolve("docs/coming-from.md"))) {
      if (!row.startsWith("| ") || row.startsWith("| there")) {
        continue;
      }
      Matcher cell = CODE.matcher(row.substring(row.indexOf(" | ") + 3));
      while (cell.find()) {
        String text = cell.group(1);
        if (YAML.matcher(text).matches()) {
          configurations++;
          parse(text);
        } else if (text.contains("(") && text.contains(".") && !text.equals("job.run(true)")) {
          if (!text.equals("TensorSpans.of(tensor)")) { // of Collectives.java
            lines++;
            assertTrue(example.contains(code(text)), "ComingFrom.java does not hold " + text);
          }
        }
      }
    }
    assertTrue(lines >= 35, lines + " lines");
    assertTrue(configurations >= 15, configurations + " configurations");
  }

  private static void parse(String part) {
    String yaml =
        "name: part\ndata: {synthetic: {samples: 100, features: 2}}\n"
            + (part.startsWith("output") ? "" : "output: {plots: false}\n")
            + part
            + "\n";
    ConfigLoader.parse(RunConfig.class, part, yaml, List.of());
  }

  private static String code(String text) {
    return text.replaceAll("//[^\n]*", "").replaceAll("\\s+", "");
  }
}
