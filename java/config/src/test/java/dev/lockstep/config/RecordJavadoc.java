package dev.lockstep.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads what the Javadoc of configuration records says, from the repository's sources. */
final class RecordJavadoc {
  private static final Path ROOT = Path.of(System.getProperty("lockstep.repository"));

  private RecordJavadoc() {}

  /** The text behind {@code @param component}; empty when there is none. */
  static String parameter(Class<?> record, String component) {
    Matcher found =
        Pattern.compile("@param " + component + "\\s+(.*?)(?=\\s@|$)", Pattern.DOTALL)
            .matcher(comment(record, "record " + record.getSimpleName() + "("));
    return found.find() ? markdown(record, found.group(1)) : "";
  }

  /** The Javadoc of an enum's constant; empty when there is none. */
  static String constant(Class<?> enumType, String name) {
    String source = source(enumType);
    int at = source.indexOf("enum " + enumType.getSimpleName() + " ");
    Matcher found =
        Pattern.compile(
                "/\\*\\*((?:(?!\\*/).)*)\\*/\\s*(?:@JsonProperty\\([^)]*\\)\\s*)?" + name + "\\b",
                Pattern.DOTALL)
            .matcher(source);
    return found.find(at) ? markdown(enumType, plain(found.group(1))) : "";
  }

  /** The Javadoc in front of a declaration, in one line. */
  private static String comment(Class<?> type, String declaration) {
    String source = source(type);
    int at = source.indexOf(declaration);
    int begin = source.lastIndexOf("/**", at);
    int end = source.indexOf("*/", begin);
    return at < 0 || begin < 0 ? "" : plain(source.substring(begin + 3, end));
  }

  private static String plain(String comment) {
    return comment.replaceAll("(?m)^\\s*\\* ?", "").replaceAll("\\s+", " ").strip();
  }

  private static String markdown(Class<?> type, String text) {
    String result = text.replaceAll("\\s+", " ").strip().replaceAll("\\{@code ([^}]*)}", "`$1`");
    result = result.replaceAll("\\{@value #USUAL_NOISE}", "0.05");
    Matcher link = Pattern.compile("\\{@link (?:[\\w.]*#)?([\\w.]+)[^}]*}").matcher(result);
    result =
        link.replaceAll(
            found -> {
              String name = found.group(1);
              boolean constant = name.equals(name.toUpperCase(Locale.ROOT));
              return constant ? "`" + name.toLowerCase(Locale.ROOT) + "`" : name;
            });
    return result.replace("|", "\\|");
  }

  private static String source(Class<?> type) {
    Class<?> outer = type;
    while (outer.getEnclosingClass() != null) {
      outer = outer.getEnclosingClass();
    }
    String path = "src/main/java/" + outer.getName().replace('.', '/') + ".java";
    try {
      for (Path module : modules()) {
        if (Files.exists(module.resolve(path))) {
          return Files.readString(module.resolve(path));
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException("the sources are there", e);
    }
    throw new IllegalStateException("no module has " + path);
  }

  /** The folders of the repository that hold Java sources. */
  static List<Path> modules() throws IOException {
    List<Path> modules = new ArrayList<>();
    try (Stream<Path> folders = Files.walk(ROOT, 2)) {
      folders
          .filter(folder -> Files.isDirectory(folder.resolve("src/main/java")))
          .forEach(modules::add);
    }
    return modules;
  }
}
