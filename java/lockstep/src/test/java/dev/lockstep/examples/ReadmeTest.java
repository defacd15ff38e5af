package dev.lockstep.examples;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the README shows is what the build compiles. */
class ReadmeTest {
  private static final Path ROOT = Path.of(System.getProperty("lockstep.repository"));
  private static final Pattern JAVA = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  @Test
  void everyJavaSnippetIsPartOfAnExampleThatIsCompiled() throws IOException {
    StringBuilder examples = new StringBuilder();
    for (String module : List.of("lockstep", "mpi")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve("java/" + module + "/src/examples/java"))) {
        for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
          examples.append(code(Files.readString(file)));
        }
      }
    }
    Matcher snippet = JAVA.matcher(Files.readString(ROOT.resolve("README.md")));
    int snippets = 0;
    while (snippet.find()) {
      snippets++;
      // The README closes a block where the example goes on.
      String code = code(snippet.group(1)).replaceFirst("}$", "");
      assertTrue(
          examples.indexOf(code) >= 0, "no file of src/examples holds:\n" + snippet.group(1));
    }
    assertTrue(snippets >= 5, snippets + " snippets");
  }

  /** Without comments and white space, which the formatter may set otherwise. */
  private static String code(String text) {
    return text.replaceAll("//[^\n]*", "").replaceAll("\\s+", "");
  }
}
