package dev.lockstep.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Which keys a configuration record has, read from its components. */
final class ConfigSchema {
  private ConfigSchema() {}

  /** Keys of a record in snake case, with their types, in declaration order. */
  static Map<String, Type> keys(Class<?> type) {
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
    for (Method method : recordType.getDeclaredMethods()) {
      JsonCreator creator = method.getAnnotation(JsonCreator.class);
      if (creator != null
          && creator.mode() == JsonCreator.Mode.DELEGATING
          && method.getParameterTypes()[0] == String.class) {
        return true;
      }
    }
    return false;
  }

  /**
   * The valid key that was most likely meant: the fewest edits to the last name, and of equals one
   * in the same section, so that a key in the wrong section is found in its own.
   */
  static String nearest(Class<?> root, String path) {
    List<String> candidates = new ArrayList<>();
    collect(root, "", candidates);
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

  private static String name(String path) {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  private static String snakeCase(String name) {
    return ((PropertyNamingStrategies.NamingBase) PropertyNamingStrategies.SNAKE_CASE)
        .translate(name);
  }
}
