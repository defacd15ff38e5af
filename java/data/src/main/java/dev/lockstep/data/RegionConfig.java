package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A part of the grid whose scores on the test samples are told separately; in YAML for example
 * {@code {name: tropics, where: {lat: [-20, 20]}}}. With a box and a mask it is what lies in both.
 *
 * @param name of the region in {@code summary.json}
 * @param where ranges of coordinates, both ends included, by dimension; longitudes may be written
 *     with 360 degrees more or less than the file's
 * @param mask a variable of the file that does not depend on time; cells where it is 0.5 or more
 *     belong to the region, missing ones do not
 */
public record RegionConfig(String name, Map<String, List<Bound>> where, @Nullable String mask) {
  /**
   * Checks the arguments and copies the map.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public RegionConfig {
    where = Map.copyOf(where);
    if (name.isBlank()) {
      throw new ConfigKeyException("name", "a region needs a name");
    }
    if (where.isEmpty() && mask == null) {
      throw new ConfigKeyException(
          "where", "of region " + name + " is missing; give where, mask, or both");
    }
  }

  /** From YAML, with defaults for what is left out. */
  @JsonCreator
  static RegionConfig fromYaml(
      @JsonProperty("name") @Nullable String name,
      @JsonProperty("where") @Nullable Map<String, List<Bound>> where,
      @JsonProperty("mask") @Nullable String mask) {
    return new RegionConfig(name == null ? "" : name, where == null ? Map.of() : where, mask);
  }
}
