package dev.lockstep.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.lockstep.train.StrategyConfig;
import dev.lockstep.train.strategy.Strategies;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Compares a document with the records that it is meant for: unknown keys, wrong types. */
final class ConfigCheck {
  /** Configurations that have keys in common, and the commands that take them. */
  private static final Map<Class<?>, String> COMMANDS =
      Map.of(RunConfig.class, "train", FitConfig.class, "fit");

  /** Lists that may be written without brackets where they have one element. */
  private static final Set<String> ONE_OF_LIST =
      Set.of(
          "data.path",
          "model.recompute",
          "strategy.pipeline.stages",
          "strategy.tensor.column",
          "strategy.tensor.row");

  private final Class<?> rootType;
  private final ConfigDocument document;

  private ConfigCheck(Class<?> rootType, ConfigDocument document) {
    this.rootType = rootType;
    this.document = document;
  }

  /**
   * Adds what is wrong to the document's problems. Numbers that YAML 1.1 takes for text become
   * numbers.
   */
  static void check(Class<?> rootType, ConfigDocument document) {
    Set<String> known = ConfigSchema.keys(rootType).keySet();
    List<String> written = new ArrayList<>();
    document.root().fieldNames().forEachRemaining(written::add);
    if (written.size() > 1 && known.stream().noneMatch(written::contains)) {
      document
          .problems()
          .add(
              new ConfigProblem(
                  document.origin(written.get(0)),
                  "this is another kind of file: of its keys "
                      + String.join(", ", written)
                      + " none is known here; known are "
                      + String.join(", ", known)));
      return;
    }
    for (Map.Entry<Class<?>, String> kind : COMMANDS.entrySet()) {
      // With keys in common a file is of the kind that knows all of its keys.
      if (!known.containsAll(written)
          && kind.getKey() != rootType
          && COMMANDS.containsKey(rootType)
          && ConfigSchema.keys(kind.getKey()).keySet().containsAll(written)) {
        document
            .problems()
            .add(
                new ConfigProblem(
                    document.origin(written.get(0)),
                    "this is a configuration of `lockstep "
                        + kind.getValue()
                        + "`, not of `lockstep "
                        + COMMANDS.get(rootType)
                        + "`"));
        return;
      }
    }
    new ConfigCheck(rootType, document).section(rootType, document.root(), "");
  }

  private void section(Class<?> type, ObjectNode section, String path) {
    Map<String, Type> keys = ConfigSchema.keys(type, section);
    for (Map.Entry<String, JsonNode> entry : section.properties()) {
      String keyPath = path.isEmpty() ? entry.getKey() : path + "." + entry.getKey();
      Type keyType = keys.get(entry.getKey());
      if (keyType == null) {
        problem(keyPath, "unknown key \"" + keyPath + "\"; " + advice(keyPath, keys.keySet()));
      } else if (type == StrategyConfig.class && entry.getKey().equals("type")) {
        List<String> types = List.copyOf(Strategies.options().keySet());
        entry.setValue(choice(types, entry.getValue(), keyPath));
      } else {
        entry.setValue(value(keyType, entry.getValue(), keyPath));
      }
    }
  }

  /** Names the key that was meant, or what there is where none resembles the one written. */
  private String advice(String path, Collection<String> inSection) {
    String nearest = ConfigSchema.nearest(rootType, path, inSection);
    int edits = NearestName.distance(ConfigSchema.name(nearest), ConfigSchema.name(path));
    return edits <= Math.max(2, ConfigSchema.name(path).length() / 2)
        ? "the nearest valid key is \"" + nearest + "\""
        : "the section's keys are " + String.join(", ", inSection);
  }

  private JsonNode value(Type type, JsonNode node, String path) {
    Class<?> raw = ConfigSchema.rawType(type);
    if (node.isNull() && !raw.isPrimitive()) {
      return node;
    }
    if (raw.isRecord()) {
      if (node instanceof ObjectNode section) {
        section(raw, section, path);
      } else if (!(node.isTextual() && ConfigSchema.acceptsText(raw))
          && !(node.isValueNode() && ConfigSchema.acceptsScalar(raw))) {
        wrong(
            path,
            "keys below it, such as " + ConfigSchema.keys(raw).keySet().iterator().next(),
            node);
      }
    } else if (Map.class == raw) {
      map(((ParameterizedType) type).getActualTypeArguments()[1], node, path);
    } else if (List.class == raw) {
      if (node.isTextual() && ONE_OF_LIST.contains(path)) {
        return JsonNodeFactory.instance.arrayNode().add(node); // a list of one
      }
      list(((ParameterizedType) type).getActualTypeArguments()[0], node, path);
    } else if (raw.isEnum()) {
      return choice(ConfigSchema.names(raw), node, path);
    } else if (raw == double.class || raw == Double.class) {
      return number(node, path);
    } else if (raw == int.class || raw == Integer.class) {
      expect(node.isIntegralNumber() && node.canConvertToInt(), "a whole number", node, path);
    } else if (raw == long.class || raw == Long.class) {
      expect(node.isIntegralNumber() && node.canConvertToLong(), "a whole number", node, path);
    } else if (raw == boolean.class || raw == Boolean.class) {
      expect(node.isBoolean(), "true or false", node, path);
    } else if (raw == String.class) {
      expect(node.isTextual(), node.isValueNode() ? "text (in quotes)" : "text", node, path);
    }
    return node;
  }

  /** Keys of the user's own, with values of one type. */
  private void map(Type valueType, JsonNode node, String path) {
    if (!(node instanceof ObjectNode section)) {
      wrong(path, "keys below it", node);
      return;
    }
    for (Map.Entry<String, JsonNode> entry : section.properties()) {
      entry.setValue(value(valueType, entry.getValue(), path + "." + entry.getKey()));
    }
  }

  private void list(Type elementType, JsonNode node, String path) {
    if (!(node instanceof ArrayNode array)) {
      wrong(path, "a list, as in [a, b]", node);
      return;
    }
    for (int i = 0; i < array.size(); i++) {
      if (array.get(i).isNull()) {
        problem(path, "\"" + path + "\" has an empty element; write a value or remove it");
        return;
      }
      array.set(i, value(elementType, array.get(i), path));
    }
  }

  /** Names may be written with hyphens, as papers do, for underscores. */
  private JsonNode choice(List<String> names, JsonNode node, String path) {
    String written = node.isTextual() ? node.textValue().toLowerCase(Locale.ROOT) : "";
    if (names.contains(written)) {
      return node;
    }
    String underscored = written.replace('-', '_');
    if (names.contains(underscored)) {
      return TextNode.valueOf(underscored);
    }
    wrong(path, "one of " + String.join(", ", names), node);
    return node;
  }

  private JsonNode number(JsonNode node, String path) {
    if (node.isTextual()) {
      // YAML 1.1 reads 1e-3 (no dot) as text.
      try {
        return DoubleNode.valueOf(Double.parseDouble(node.textValue()));
      } catch (NumberFormatException e) {
        wrong(path, "a number", node);
      }
    } else {
      expect(node.isNumber(), "a number", node, path);
    }
    return node;
  }

  private void expect(boolean valid, String expected, JsonNode node, String path) {
    if (!valid) {
      wrong(path, expected, node);
    }
  }

  private void wrong(String path, String expected, JsonNode found) {
    problem(path, "\"" + path + "\" must be " + expected + ", not " + found);
  }

  private void problem(String path, String message) {
    document.problems().add(new ConfigProblem(document.origin(path), message));
  }
}
