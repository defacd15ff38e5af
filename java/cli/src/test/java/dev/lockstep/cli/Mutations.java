package dev.lockstep.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Changes to text that people make by mistake, and a few that nobody makes. Seeded. */
final class Mutations {
  /** What may stand where a value is expected; none of them makes a run long. */
  private static final List<String> VALUES =
      List.of(
          "0",
          "-1",
          "1",
          "2",
          "3",
          "0.5",
          "1e-3",
          "1e400",
          "-1e400",
          ".nan",
          ".inf",
          "-.inf",
          "2147483647",
          "2147483648",
          "-9223372036854775808",
          "99999999999999999999",
          "0x10",
          "010",
          "1_000",
          "true",
          "no",
          "null",
          "~",
          "''",
          "' '",
          "text",
          "\"a\\0b\"",
          "\"a/b\"",
          "[]",
          "{}",
          "[1, 2]",
          "[null]",
          "[[1]]",
          "{a: 1}",
          "{variable: x0}",
          "[x0, x0]",
          "[x0, nothing]",
          "&a 1",
          "*a",
          "!!int 3",
          "!!java.net.URL [x]",
          "'unfinished",
          "[1, 2",
          "{a: ",
          "- 1",
          "a: b: c",
          "|",
          ">",
          "%",
          "@",
          "`",
          "\t",
          "é",
          "١",
          "2001-01-01",
          "12:30:45",
          "/dev/null",
          "/",
          "..",
          "none");

  private final Random random;

  Mutations(long seed) {
    random = new Random(seed);
  }

  <T> T pick(List<T> from) {
    return from.get(random.nextInt(from.size()));
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  /** Half of them numbers, which most keys take. */
  String value() {
    return pick(random.nextBoolean() ? VALUES : VALUES.subList(0, 7));
  }

  /** One to three changes to a YAML file. */
  String yaml(String text) {
    List<String> lines = new ArrayList<>(text.lines().toList());
    for (int i = 1 + below(3) * below(2); i > 0 && !lines.isEmpty(); i--) {
      change(lines, below(lines.size()));
    }
    return String.join("\n", lines) + "\n";
  }

  private void change(List<String> lines, int at) {
    String line = lines.get(at);
    int colon = line.indexOf(':');
    switch (below(10)) {
      case 0 -> lines.remove(at);
      case 1 -> lines.add(at, line);
      case 2 -> lines.set(at, "  " + line);
      case 3 -> lines.set(at, line.stripLeading());
      case 4 -> lines.set(at, word(line));
      case 5 -> lines.add(at, lines.get(below(lines.size())));
      default -> lines.set(at, colon < 0 ? value() : line.substring(0, colon + 1) + " " + value());
    }
  }

  /** One character of a text changed, removed or doubled. */
  String word(String text) {
    if (text.isEmpty()) {
      return value();
    }
    int at = below(text.length());
    return switch (below(3)) {
      case 0 -> text.substring(0, at) + text.substring(at + 1);
      case 1 -> text.substring(0, at) + text.charAt(at) + text.substring(at);
      default ->
          text.substring(0, at)
              + pick(List.of("x", "-", " ", ":", "9", "\t", "é", "{", "#"))
              + text.substring(at + 1);
    };
  }
}
