package dev.lockstep.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.data.ArrayFile.Unreadable;
import dev.lockstep.data.FileDescription;
import dev.lockstep.data.FileDescription.Summary;
import dev.lockstep.data.Variable.Dimension;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What {@code lockstep data describe} prints. */
final class DescriptionText {
  private static final String ROW = "  %-20s %-8s %-36s %12s %12s %9s  %s";

  private DescriptionText() {}

  /** A table for people: a line for each variable, then what cannot be used. */
  static String table(FileDescription description) {
    StringBuilder text = new StringBuilder();
    text.append(description.location()).append(": ").append(description.format()).append('\n');
    line(text, row("variable", "type", "dimensions", "minimum", "maximum", "missing", "units"));
    for (Summary summary : description.variables()) {
      line(
          text,
          row(
              summary.variable().name(),
              summary.variable().type(),
              dimensions(summary.variable().dimensions()),
              String.format(Locale.ROOT, "%.6g", summary.min()),
              String.format(Locale.ROOT, "%.6g", summary.max()),
              summary.missing(),
              summary.units()));
      summary.timeRange().ifPresent(r -> text.append("    from ").append(r).append('\n'));
    }
    if (!description.unreadable().isEmpty()) {
      text.append("  cannot be used:\n");
    }
    for (Unreadable unreadable : description.unreadable()) {
      List<Dimension> dimensions = unreadable.dimensions();
      String shape = dimensions.isEmpty() ? "" : " (" + dimensions(dimensions) + ")";
      line(text, "    " + unreadable.name() + shape + ": " + unreadable.reason());
    }
    return text.toString();
  }

  private static String row(Object... cells) {
    return String.format(Locale.ROOT, ROW, cells).stripTrailing();
  }

  /** A line, whatever control characters there are in names and units. */
  private static void line(StringBuilder text, String line) {
    text.append(line.replaceAll("\\p{Cntrl}", "?")).append('\n');
  }

  private static String dimensions(List<Dimension> dimensions) {
    return dimensions.stream()
        .map(d -> d.name().isEmpty() ? "" + d.length() : d.name() + "=" + d.length())
        .collect(Collectors.joining(" × "));
  }

  /**
   * One object with the list {@code variables}; numbers with all digits, {@code null} where there
   * is none, infinities as texts. What cannot be used has its reason in {@code unreadable}.
   */
  static String json(FileDescription description) {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode root = mapper.createObjectNode();
    ArrayNode variables = root.putArray("variables");
    for (Summary summary : description.variables()) {
      ObjectNode node = variables.addObject();
      node.put("name", summary.variable().name());
      node.put("type", summary.variable().type());
      addDimensions(node, summary.variable().dimensions());
      addNumber(node, "minimum", summary.min());
      addNumber(node, "maximum", summary.max());
      node.put("missing", summary.missing());
      node.put("units", summary.units().isEmpty() ? null : summary.units());
      node.putNull("unreadable");
    }
    for (Unreadable unreadable : description.unreadable()) {
      ObjectNode node = variables.addObject();
      node.put("name", unreadable.name());
      node.put("type", unreadable.type());
      addDimensions(node, unreadable.dimensions());
      node.putNull("minimum");
      node.putNull("maximum");
      node.putNull("missing");
      node.putNull("units");
      node.put("unreadable", unreadable.reason());
    }
    try {
      return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void addDimensions(ObjectNode node, List<Dimension> dimensions) {
    ArrayNode array = node.putArray("dimensions");
    dimensions.forEach(d -> array.addObject().put("name", d.name()).put("length", d.length()));
  }

  private static void addNumber(ObjectNode node, String name, double number) {
    if (Double.isNaN(number)) {
      node.putNull(name);
    } else if (Double.isInfinite(number)) {
      node.put(name, number > 0 ? "Infinity" : "-Infinity");
    } else {
      node.put(name, number);
    }
  }
}
