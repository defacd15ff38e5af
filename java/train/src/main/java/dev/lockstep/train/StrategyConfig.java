package dev.lockstep.train;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.strategy.DataParallel;
import dev.lockstep.train.strategy.Strategies;
import dev.lockstep.train.strategy.tensor.TensorParallel;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * The {@code strategy} section of a configuration: how ranks work together. Besides {@code type}
 * its keys are those of the type's options.
 *
 * @param type which strategy, by the name of its {@link
 *     dev.lockstep.train.strategy.StrategyProvider}
 * @param options its options
 */
public record StrategyConfig(String type, Record options) {
  /** The type of a section that names none, and has no keys of another one. */
  public static final String DEFAULT_TYPE = "data_parallel";

  private static final String PIPELINE = "pipeline";
  private static final String TENSOR = "tensor";

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  /** The strategy whose options these are. */
  public static StrategyConfig of(Record options) {
    return new StrategyConfig(Strategies.typeOf(options), options);
  }

  /** Data-parallel with buckets of 1 MiB, then 25 MiB; fused where the ranks can. */
  public static StrategyConfig defaults() {
    return of(DataParallel.Options.defaults());
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if there is no such type or key, or a value is out of its
   *     range; the message names the key
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static StrategyConfig fromJson(ObjectNode section) {
    ObjectNode keys = section.deepCopy();
    String type = typeOf(keys);
    keys.remove("type");
    Map<String, Class<? extends Record>> known = Strategies.options();
    if (!known.containsKey(type)) {
      throw new ConfigKeyException(
          "type", "must be one of " + String.join(", ", known.keySet()) + ", not " + type + ".");
    }
    try {
      return new StrategyConfig(type, MAPPER.treeToValue(keys, known.get(type)));
    } catch (JsonMappingException e) {
      throw outOfRange(e);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree has no syntax to be wrong", e);
    }
  }

  /** The type that a section names, or that goes without saying. */
  public static String typeOf(JsonNode section) {
    if (section.hasNonNull("type")) {
      return section.get("type").asText();
    }
    if (section.hasNonNull(TENSOR)) {
      return TensorParallel.TYPE;
    }
    return section.hasNonNull(PIPELINE) ? PIPELINE : DEFAULT_TYPE;
  }

  /** This section, or what the mesh makes of one that says nothing. */
  public StrategyConfig on(MeshConfig mesh) {
    boolean cuts = mesh.tensor() != null && mesh.tensor() > 1;
    return cuts && equals(defaults()) ? of(TensorParallel.Options.defaults()) : this;
  }

  /** A record's own exception; of a record below the options with the keys that lead there. */
  private static IllegalArgumentException outOfRange(JsonMappingException e) {
    String path =
        e.getPath().stream()
            .map(JsonMappingException.Reference::getFieldName)
            .filter(Objects::nonNull)
            .map(name -> name + ".")
            .collect(Collectors.joining());
    if (e.getCause() instanceof ConfigKeyException key && !path.isEmpty()) {
      return new ConfigKeyException(path + key.key(), key.text());
    }
    return e.getCause() instanceof IllegalArgumentException known
        ? known
        : new IllegalArgumentException(e.getOriginalMessage(), e);
  }

  /** The section as a file would give it. */
  @JsonValue
  public ObjectNode toJson() {
    ObjectNode section = JsonNodeFactory.instance.objectNode().put("type", type);
    section.setAll((ObjectNode) MAPPER.valueToTree(options));
    return section;
  }
}
