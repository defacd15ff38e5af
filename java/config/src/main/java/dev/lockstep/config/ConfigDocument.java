package dev.lockstep.config;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A YAML document as a tree that remembers where every key was written. Confined to one thread. */
final class ConfigDocument {
  private static final YAMLFactory YAML = new YAMLFactory();

  private final String source;
  private final Map<String, String> origins = new HashMap<>();
  private final List<ConfigProblem> problems = new ArrayList<>();
  private ObjectNode root = JsonNodeFactory.instance.objectNode();

  private ConfigDocument(String source) {
    this.source = source;
  }

  /**
   * Parses YAML text; what is wrong with it (syntax, duplicate keys, aliases) is among {@link
   * #problems}.
   *
   * @param source the file's name, for messages
   */
  static ConfigDocument parse(String source, String text) {
    ConfigDocument document = new ConfigDocument(source);
    try (JsonParser parser = YAML.createParser(text)) {
      JsonToken first = parser.nextToken();
      if (first == JsonToken.START_OBJECT) {
        document.root = document.readObject(parser, "");
      } else if (first != null) {
        document.problems.add(
            new ConfigProblem(
                document.at(parser), "the file must hold keys, as in \"name: heat-flux\""));
      }
      if (first != null && parser.nextToken() != null) {
        document.problems.add(
            new ConfigProblem(document.at(parser), "a second YAML document; keep one"));
      }
    } catch (JsonProcessingException e) {
      document.problems.add(document.syntaxProblem(e, text));
    } catch (IOException e) {
      throw new IllegalStateException("reading a string cannot fail", e);
    }
    return document;
  }

  /**
   * Puts {@code a.b=c} in place, the value read by YAML's rules, creating sections that are not
   * there.
   */
  void override(String assignment) {
    String origin = "--set " + assignment;
    int equals = assignment.indexOf('=');
    String path = equals < 0 ? "" : assignment.substring(0, equals).strip();
    if (!path.matches("[^.\\s]+(\\.[^.\\s]+)*")) {
      problems.add(new ConfigProblem(origin, "expected key=value, as in --set training.epochs=5"));
      return;
    }
    // The value of a one-key document, so that lists, numbers and null mean what they mean in a
    // file.
    ConfigDocument value = parse(origin, "value: " + assignment.substring(equals + 1));
    if (!value.problems.isEmpty() || value.root.size() != 1) {
      problems.add(new ConfigProblem(origin, "the value is not valid YAML"));
      return;
    }
    String[] keys = path.split("\\.");
    ObjectNode section = root;
    StringBuilder walked = new StringBuilder();
    for (int i = 0; i < keys.length - 1; i++) {
      walked.append(i == 0 ? "" : ".").append(keys[i]);
      if (section.get(keys[i]) instanceof ObjectNode child) {
        section = child;
      } else {
        section = section.putObject(keys[i]);
        origins.put(walked.toString(), origin);
      }
    }
    section.set(keys[keys.length - 1], value.root.get("value"));
    origins.put(path, origin);
  }

  ObjectNode root() {
    return root;
  }

  List<ConfigProblem> problems() {
    return problems;
  }

  /** Where the key was written, or else the section around it, or else the file. */
  String origin(String path) {
    for (String key = path; ; key = key.substring(0, key.lastIndexOf('.'))) {
      String origin = origins.get(key);
      if (origin != null) {
        return origin;
      }
      if (key.indexOf('.') < 0) {
        return source;
      }
    }
  }

  private ObjectNode readObject(JsonParser parser, String path) throws IOException {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      String keyPath = path.isEmpty() ? key : path + "." + key;
      String where = at(parser);
      parser.nextToken();
      JsonNode value = readValue(parser, keyPath);
      if (object.has(key)) {
        String first = origins.get(keyPath);
        problems.add(
            new ConfigProblem(
                where, "\"" + keyPath + "\" is already set at " + first + "; keep one"));
        continue;
      }
      origins.put(keyPath, where);
      object.set(key, value);
    }
    return object;
  }

  private JsonNode readValue(JsonParser parser, String path) throws IOException {
    if (parser instanceof YAMLParser yaml
        && (yaml.isCurrentAlias() || yaml.getObjectId() != null)) {
      problems.add(
          new ConfigProblem(
              at(parser), "\"" + path + "\" uses an anchor or alias; write the value out"));
    }
    switch (parser.currentToken()) {
      case START_OBJECT:
        return readObject(parser, path);
      case START_ARRAY:
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          array.add(readValue(parser, path));
        }
        return array;
      case VALUE_NUMBER_INT:
        return JsonNodeFactory.instance.numberNode(parser.getBigIntegerValue());
      case VALUE_NUMBER_FLOAT:
        return JsonNodeFactory.instance.numberNode(parser.getDoubleValue());
      case VALUE_TRUE, VALUE_FALSE:
        return JsonNodeFactory.instance.booleanNode(parser.getBooleanValue());
      case VALUE_NULL:
        return JsonNodeFactory.instance.nullNode();
      default:
        return JsonNodeFactory.instance.textNode(parser.getText());
    }
  }

  /**
   * YAML allows no tab in the indentation, and its parser blames a line before or after, so the tab
   * itself is looked for.
   */
  private ConfigProblem syntaxProblem(JsonProcessingException e, String text) {
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).matches(" *\\t.*\\S.*")) {
        return new ConfigProblem(
            source + ":" + (i + 1), "a tab in the indentation; YAML takes spaces only");
      }
    }
    String line = e.getLocation() == null ? source : source + ":" + e.getLocation().getLineNr();
    return new ConfigProblem(line, "not valid YAML: " + firstLine(e.getOriginalMessage()));
  }

  private String at(JsonParser parser) {
    return source + ":" + parser.currentTokenLocation().getLineNr();
  }

  private static String firstLine(String message) {
    return message
        .lines()
        .filter(line -> !line.isBlank())
        .findFirst()
        .orElse("syntax error")
        .strip();
  }
}
