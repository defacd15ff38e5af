package dev.lockstep.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import dev.lockstep.train.StrategyConfig;
import dev.lockstep.train.strategy.Strategies;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Which keys a configuration record has, read from its components. */
final class ConfigSchema {
  private ConfigSchema() {}

  /**
   * Keys of a section as it is written: those of its record; of the {@code strategy} section, those
   * of the strategy that it names.
   */
  static Map<String, Type> keys(Class<?> type, JsonNode section) {
    if (type != StrategyConfig.class) {
      return keys(type);
    }
    String strategy = StrategyConfig.typeOf(section);
    Map<String, Type> keys = new LinkedHashMap<>();
    keys.put("type", String.class);
    Class<? extends Record> options = Strategies.options().get(strategy.replace('-', '_'));
    keys.putAll(options == null ? keys(type) : keys(options));
    return keys;
  }

  /** Keys of a record in snake case, with their types, in declaration order. */
  static Map<String, Type> keys(Class<?> type) {
    if (type == StrategyConfig.class) {
      Map<String, Type> keys = new LinkedHashMap<>();
      keys.put("type", String.class);
      Strategies.options().values().forEach(options -> keys.putAll(keys(options)));
      return keys;
    }
    Map<String, Type> keys = new LinkedHashMap<>();
    for (RecordComponent component : type.getRecordComponents()) {
      keys.put(snakeCase(component.getName()), component.getGenericType());
    }
    return keys;
  }

  /** What a value of an enum is called in a file. */
  static List<String> names(Class<?> enumType) {
    return Arrays.stream(enumType.getFields())
        .filter(java.lang.reflect.Field::isEnumConstant)
        .map(
            constant -> {
              JsonProperty property = constant.getAnnotation(JsonProperty.class);
              return property == null
                  ? constant.getName().toLowerCase(Locale.ROOT)
                  : property.value();
            })
        .toList();
  }

  /** Whether a text alone may stand for the record, as a variable's name does for a feature. */
  static boolean acceptsText(Class<?> recordType) {
    return delegatesFrom(String.class, recordType);
  }

  /** Whether a text or a number stands for the record, as for the end of a range. */
  static boolean acceptsScalar(Class<?> recordType) {
    return delegatesFrom(Object.class, recordType);
  }

  private static boolean delegatesFrom(Class<?> valueType, Class<?> recordType) {
    for (Method method : recordType.getDeclaredMethods()) {
      JsonCreator creator = method.getAnnotation(JsonCreator.class);
      if (creator != null
          && creator.mode() == JsonCreator.Mode.DELEGATING
          && method.getParameterTypes()[0] == valueType) {
        return true;
      }
    }
    return false;
  }

  /**
   * The valid key that was most likely meant: the fewest edits to the last name, and of equals one
   * in the same section, so that a key in the wrong section is found in its own.
   *
   * @param inSection the keys that the section has
   */
  static String nearest(Class<?> root, String path, Collection<String> inSection) {
    List<String> candidates = new ArrayList<>();
    collect(root, "", candidates);
    String section = section(path);
    candidates.removeIf(
        candidate -> section(candidate).equals(section) && !inSection.contains(name(candidate)));
    return candidates.stream()
        .min(Comparator.comparingInt(candidate -> cost(candidate, path)))
        .orElseThrow();
  }

  /** Whether there is such a key. */
  static boolean exists(Class<?> root, String path) {
    List<String> paths = new ArrayList<>();
    collect(root, "", paths);
    return paths.contains(path);
  }

  static Class<?> rawType(Type type) {
    return type instanceof ParameterizedType parameterized
        ? (Class<?>) parameterized.getRawType()
        : (Class<?>) type;
  }

  private static int cost(String candidate, String path) {
    boolean sameSection = section(candidate).equals(section(path));
    return 2 * NearestName.distance(name(candidate), name(path)) + (sameSection ? 0 : 1);
  }

  private static void collect(Class<?> type, String prefix, List<String> paths) {
    keys(type)
        .forEach(
            (key, keyType) -> {
              paths.add(prefix + key);
              if (keyType instanceof Class<?> child && child.isRecord()) {
                collect(child, prefix + key + ".", paths);
              }
              if (keyType instanceof ParameterizedType list
                  && list.getActualTypeArguments()[0] instanceof Class<?> element
                  && element.isRecord()) {
                collect(element, prefix + key + ".", paths);
              }
            });
  }

  private static String section(String path) {
    int dot = path.lastIndexOf('.');
    return dot < 0 ? "" : path.substring(0, dot);
  }

  static String name(String path) {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  private static String snakeCase(String name) {
    return ((PropertyNamingStrategies.NamingBase) PropertyNamingStrategies.SNAKE_CASE)
        .translate(name);
  }
}
