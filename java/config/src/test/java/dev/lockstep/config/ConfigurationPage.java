package dev.lockstep.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.lockstep.localize.LocalizationConfig;
import dev.lockstep.train.StrategyConfig;
import dev.lockstep.train.strategy.Strategies;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Writes {@code docs/configuration.md} from the records, their defaults and their Javadoc. */
final class ConfigurationPage {
  private static final ObjectMapper YAML = new YAMLMapper();

  /** Keys that have no default; what is written for them below shows in no table. */
  private static final List<String> NEEDED =
      List.of(
          "name",
          "data.path",
          "data.features",
          "data.targets",
          "data.features[].variable",
          "data.features[].name",
          "data.targets[].variable");

  private static final String EXAMPLE =
      "name: example\ndata: {path: x, features: [x], targets: [x]}\n";

  /** Sections that are not there by themselves, with their defaults. */
  private static final String SECTIONS =
      "name: example\ndata: {synthetic: {}}\ntraining: {early_stopping: {}}\n";

  private static final String FEDERATION =
      "name: example\ndata: {path: x, features: [x], targets: [x]}\nfederation: {clients: 10}\n";

  private static final String FIT = "name: example\ndata: {path: x}\nlearner: {type: %s}\n";

  private final StringBuilder text = new StringBuilder();
  private final List<String> withoutMeaning = new ArrayList<>();
  private JsonNode sections;
  private JsonNode defaults;

  /** The keys of the strategy whose table is being written; missing while none is. */
  private JsonNode strategy = MissingNode.getInstance();

  private ConfigurationPage(JsonNode defaults, JsonNode sections) {
    this.sections = sections;
    this.defaults = defaults;
  }

  /** The page's text. */
  static String text() throws IOException {
    ConfigurationPage page =
        new ConfigurationPage(
            defaults(RunConfig.class, EXAMPLE), defaults(RunConfig.class, SECTIONS));
    page.write();
    if (!page.withoutMeaning.isEmpty()) {
      throw new AssertionError(
          "These keys have no @param in their record's Javadoc: " + page.withoutMeaning);
    }
    return page.text.toString();
  }

  private static JsonNode defaults(Class<? extends Record> type, String yaml) throws IOException {
    return YAML.readTree(ConfigLoader.toYaml(ConfigLoader.parse(type, "", yaml, List.of())));
  }

  private void write() throws IOException {
    text.append(
        """
        # Configuration
        <!-- Written by ConfigurationPageTest from the records; do not edit: change the record's Javadoc. -->
        Every key of a YAML file, with what stands for it when it is left out, and every environment variable.
        `hpc/lockstep config --defaults` prints a file with all of them, `hpc/lockstep config --explain KEY` a row of
        this page. Keys can be set on the command line, too: `--set training.epochs=5`. Where the default is "–", there is
        none: the key is needed, or nothing happens without it.

        # Of a training run (`lockstep train`)
        """);
    section(RunConfig.class, "", "");
    defaults = defaults(LocalizationConfig.class, "{}");
    text.append("\n# Of a localisation (`lockstep localize`)\n");
    section(LocalizationConfig.class, "", "");
    defaults = defaults(FitConfig.class, FIT.formatted("kmeans"));
    ObjectNode trees = (ObjectNode) defaults(FitConfig.class, FIT.formatted("forest"));
    // Where boosting has another default, the key's meaning names both.
    ((ObjectNode) trees.path("learner"))
        .setAll((ObjectNode) defaults(FitConfig.class, FIT.formatted("boosting")).path("learner"));
    sections = trees;
    text.append("\n# Of a fit (`lockstep fit`)\n");
    section(FitConfig.class, "", "");
    defaults = defaults(FederateConfig.class, FEDERATION);
    sections = defaults;
    text.append("\n# Of a federation (`lockstep federate`)\n");
    section(FederateConfig.class, "", "");
    text.append("\n# Environment variables\n| variable | meaning |\n|---|---|\n");
    for (EnvironmentVariable variable : EnvironmentVariable.values()) {
      text.append("| `").append(variable).append("` | ").append(variable.meaning()).append(" |\n");
    }
  }

  /** A table of the record's own keys, then one for each record below it. */
  private void section(Class<?> record, String path, String title) {
    if (record == StrategyConfig.class) {
      strategies(path, title);
      return;
    }
    List<Runnable> below = new ArrayList<>();
    StringBuilder rows = new StringBuilder();
    Iterator<String> keys = ConfigSchema.keys(record).keySet().iterator();
    for (RecordComponent component : record.getRecordComponents()) {
      String key = path + keys.next();
      Type type = component.getGenericType();
      Class<?> inner = recordOf(type);
      if (inner != null) {
        String prefix = key + (type instanceof Class<?> ? "" : "[]");
        below.add(() -> section(inner, prefix + ".", prefix));
        if (path.isEmpty()) {
          continue; // a section, whose own table says it all
        }
      }
      String meaning = RecordJavadoc.parameter(record, component.getName());
      if (meaning.isEmpty()) {
        withoutMeaning.add(key);
      }
      rows.append(
          String.format(
              Locale.ROOT,
              "| `%s` | %s | %s | %s%s |\n",
              key,
              type(type),
              standard(key),
              meaning,
              choices(type)));
    }
    if (!rows.isEmpty()) {
      text.append(title.isEmpty() ? "" : "\n## `" + title + "`\n");
      text.append("| key | type | default | meaning |\n|---|---|---|---|\n").append(rows);
    }
    below.forEach(Runnable::run);
  }

  /** The key that all strategies have, and a table of the options of each that has any. */
  private void strategies(String path, String title) {
    String types =
        Strategies.options().keySet().stream()
            .map(type -> "`" + type + "`")
            .collect(Collectors.joining(", "));
    text.append("\n## `").append(title).append("`\n");
    text.append("| key | type | default | meaning |\n|---|---|---|---|\n| `");
    text.append(path)
        .append("type` | ")
        .append(types)
        .append(" | ")
        .append(standard(path + "type"));
    text.append(" | ").append(RecordJavadoc.parameter(StrategyConfig.class, "type"));
    text.append(" |\n");
    Strategies.options()
        .forEach(
            (type, options) -> {
              ObjectNode ofType = JsonNodeFactory.instance.objectNode().put("type", type);
              strategy = StrategyConfig.fromJson(ofType).toJson();
              section(options, path, title + "`, `" + path + "type: " + type);
            });
    strategy = MissingNode.getInstance();
  }

  private static @Nullable Class<?> recordOf(Type type) {
    Type element = type instanceof ParameterizedType list ? list.getActualTypeArguments()[0] : type;
    boolean keys = element instanceof Class<?> inner && inner.isRecord();
    return keys && !ConfigSchema.acceptsScalar((Class<?>) element) ? (Class<?>) element : null;
  }

  private static String type(Type type) {
    if (type instanceof ParameterizedType list) {
      Type[] arguments = list.getActualTypeArguments();
      return list.getRawType() == Map.class
          ? "keys: " + type(arguments[1])
          : "list: " + type(arguments[0]);
    }
    Class<?> raw = (Class<?>) type;
    if (raw.isRecord() && ConfigSchema.acceptsScalar(raw)) {
      return "text or number";
    }
    if (raw.isRecord()) {
      return ConfigSchema.acceptsText(raw) ? "text or keys" : "keys";
    }
    if (raw.isEnum()) {
      return ConfigSchema.names(raw).stream()
          .map(name -> "`" + name + "`")
          .collect(Collectors.joining(", "));
    }
    return switch (raw.getSimpleName()) {
      case "int", "Integer", "long", "Long" -> "whole number";
      case "double", "Double" -> "number";
      case "boolean", "Boolean" -> "`true` or `false`";
      case "String" -> "text";
      default -> throw new IllegalStateException(raw + " needs a name for people");
    };
  }

  /** What each choice of an enum means, where its Javadoc says so. */
  private static String choices(Type type) {
    if (!(type instanceof Class<?> raw) || !raw.isEnum()) {
      return "";
    }
    List<String> names = ConfigSchema.names(raw);
    List<String> said = new ArrayList<>();
    List<Object> constants = Arrays.asList(raw.getEnumConstants());
    for (int i = 0; i < names.size(); i++) {
      String meaning = RecordJavadoc.constant(raw, ((Enum<?>) constants.get(i)).name());
      if (!meaning.isEmpty()) {
        said.add("`" + names.get(i) + "`: " + meaning.replaceAll("\\.$", ""));
      }
    }
    return said.isEmpty() ? "" : ". " + String.join("; ", said);
  }

  private String standard(String key) {
    JsonNode node =
        strategy.isMissingNode()
            ? defaults.at("/" + key.replace("[]", ".0").replace('.', '/'))
            : strategy.at(key.substring(key.indexOf('.')).replace('.', '/'));
    if (node.isMissingNode() || node.isNull()) {
      node = sections.at("/" + key.replace("[]", ".0").replace('.', '/'));
    }
    boolean none =
        node.isMissingNode() || node.isNull() || node.isContainerNode() && !node.isArray();
    return none || NEEDED.contains(key) ? "–" : "`" + node.toString().replace("\"", "") + "`";
  }
}
