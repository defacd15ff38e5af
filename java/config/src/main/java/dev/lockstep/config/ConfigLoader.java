package dev.lockstep.config;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.LockstepException;
import java.io.IOException;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads a YAML file and {@code --set a.b=c} overrides into a record of records, and writes one
 * back. Every problem that can be seen is reported at once, each with file, line and key.
 * Stateless.
 */
public final class ConfigLoader {
  private static final ObjectMapper BINDER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  private static final YAMLMapper WRITER =
      YAMLMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .addModule(new SimpleModule().addSerializer(new EnumNames()))
          .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .build();

  /**
   * Under the names that are read. Jackson's own WRITE_ENUMS_TO_LOWERCASE makes {@code regressıon}
   * of a REGRESSION in Turkish.
   */
  private static final class EnumNames extends StdSerializer<Enum<?>> {
    private static final long serialVersionUID = 1L;

    EnumNames() {
      super(Enum.class, false);
    }

    @Override
    public void serialize(Enum<?> value, JsonGenerator to, SerializerProvider provider)
        throws IOException {
      to.writeString(ConfigSchema.names(value.getDeclaringClass()).get(value.ordinal()));
    }
  }

  private ConfigLoader() {}

  /**
   * Reads a run's configuration.
   *
   * @param file the YAML file
   * @param overrides {@code key=value} pairs as {@code --set} takes them, later ones win
   * @throws ConfigException with every problem found
   */
  public static <T extends Record> T load(Class<T> type, Path file, List<String> overrides) {
    return parse(type, file.toString(), ConfigText.read(file), overrides);
  }

  /** As {@link #load}, from text; {@code source} names it in messages. */
  public static <T extends Record> T parse(
      Class<T> type, String source, String text, List<String> overrides) {
    ConfigDocument document = ConfigDocument.parse(source, text);
    failOn(document.problems());
    overrides.forEach(document::override);
    ConfigCheck.check(type, document);
    failOn(document.problems());
    addMissingSections(type, document.root());
    bindSections(type, document);
    failOn(document.problems());
    T bound = bind(type, document.root(), "", document);
    if (bound == null) {
      throw new ConfigException(document.problems());
    }
    return bound;
  }

  /** The configuration as YAML with every default written out; reading it gives an equal record. */
  public static String toYaml(Record config) {
    try {
      return WRITER.writeValueAsString(config);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a record of plain values can be written", e);
    }
  }

  /**
   * Sections that are absent are there with their defaults; records below decide for themselves.
   */
  private static void addMissingSections(Class<?> type, ObjectNode root) {
    ConfigSchema.keys(type)
        .forEach(
            (key, keyType) -> {
              boolean section = keyType instanceof Class<?> raw && raw.isRecord();
              if (section && !root.hasNonNull(key)) {
                root.putObject(key);
              }
            });
  }

  /** Binds each section by itself first, so that one that is wrong does not hide another. */
  private static void bindSections(Class<?> type, ConfigDocument document) {
    for (Map.Entry<String, Type> key : ConfigSchema.keys(type).entrySet()) {
      if (key.getValue() instanceof Class<?> section
          && section.isRecord()
          && document.root().get(key.getKey()) instanceof ObjectNode node) {
        bind(section, node, key.getKey(), document);
      }
    }
  }

  private static <T> @Nullable T bind(
      Class<T> type, ObjectNode node, String path, ConfigDocument document) {
    try {
      return BINDER.treeToValue(node, type);
    } catch (JsonMappingException e) {
      document.problems().add(describe(e, path, document));
      return null;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree has no syntax to be wrong", e);
    }
  }

  /** The path of the key that a record refused, in front of what is wrong with it. */
  private static ConfigProblem describe(
      JsonMappingException e, String path, ConfigDocument document) {
    String section =
        e.getPath().stream()
            .map(JsonMappingException.Reference::getFieldName)
            .filter(name -> name != null)
            .collect(Collectors.joining("."));
    String full = path.isEmpty() || section.isEmpty() ? path + section : path + "." + section;
    if (e.getCause() instanceof ConfigKeyException refused) {
      String key = full.isEmpty() ? refused.key() : full + "." + refused.key();
      return new ConfigProblem(document.origin(key), key + ": " + refused.text());
    }
    String message =
        e.getCause() instanceof IllegalArgumentException refused
            ? LockstepException.messageOf(refused)
            : e.getOriginalMessage();
    return new ConfigProblem(
        document.origin(full), full.isEmpty() ? message : full + ": " + message);
  }

  private static void failOn(List<ConfigProblem> problems) {
    if (!problems.isEmpty()) {
      throw new ConfigException(new ArrayList<>(problems));
    }
  }
}
