package dev.lockstep.config;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What every key and environment variable means: the tables of {@code docs/configuration.md}, which
 * is a resource of the library. That page is written from the records' Javadoc, and a test keeps it
 * so.
 */
public final class ConfigReference {
  private static final String PAGE = "configuration.md";

  /** A row: {@code | `key` | type | default | meaning |}. */
  private static final Pattern ROW =
      Pattern.compile("\\| `([^`]+)` \\| (.*?) \\| (.*?) \\| (.*) \\|");

  private ConfigReference() {}

  /**
   * One key of a configuration.
   *
   * @param path as in {@code training.epochs}; {@code []} behind what is a list
   * @param type what may be written
   * @param standard the value without the key
   * @param meaning what it does and its range
   */
  public record Entry(String path, String type, String standard, String meaning) {
    private String bare() {
      return path.replace("[]", "");
    }
  }

  /** All keys, in the order of the page. */
  public static List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    page()
        .lines()
        .forEach(
            line -> {
              Matcher row = ROW.matcher(line);
              if (row.matches()) {
                entries.add(new Entry(row.group(1), row.group(2), row.group(3), row.group(4)));
              }
            });
    return List.copyOf(entries);
  }

  /**
   * The key, or all keys below it when it is a section.
   *
   * @return empty when there is no such key
   */
  public static List<Entry> explain(String path) {
    String bare = path.replace("[]", "");
    List<Entry> all = entries();
    List<Entry> exact = all.stream().filter(e -> e.bare().equals(bare)).toList();
    List<Entry> below = all.stream().filter(e -> e.bare().startsWith(bare + ".")).toList();
    return exact.isEmpty() || !below.isEmpty() ? below : exact;
  }

  /** The key whose name is nearest to the one written. */
  public static Optional<String> nearest(String path) {
    String name = path.substring(path.lastIndexOf('.') + 1);
    return entries().stream()
        .map(Entry::bare)
        .min(
            Comparator.<String>comparingInt(
                    key -> NearestName.distance(key.substring(key.lastIndexOf('.') + 1), name))
                .thenComparingInt(key -> NearestName.distance(key, path)));
  }

  private static String page() {
    try (InputStream page = ConfigReference.class.getResourceAsStream(PAGE)) {
      if (page == null) {
        throw new IllegalStateException(PAGE + " is part of the jar");
      }
      return new String(page.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(PAGE + " of the jar cannot be read", e);
    }
  }
}
