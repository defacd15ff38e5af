package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What to predict: in YAML the variable's name alone, or of fields for example {@code {variable:
 * UWND, lead: [1, 3]}}.
 *
 * @param variable the variable or column
 * @param lead of fields: steps ahead along time, 0 for the sample's own; a channel for each
 * @param normalize of fields: how its values are brought to the network's scale; like {@code
 *     data.normalize} if left out
 * @param weight of fields: how much its loss counts beside that of the other targets, above 0; 1 if
 *     left out. What counts is how they compare
 * @param classes of fields: ascending edges that make class numbers of the values, for {@code
 *     cross_entropy}: 0 below the first edge, 1 from there on, and so on, as in {@code [0.15, 0.8]}
 *     for open water, marginal ice and pack ice; as they are if left out
 */
public record TargetConfig(
    String variable,
    List<Integer> lead,
    @Nullable Normalization normalize,
    double weight,
    List<Double> classes) {
  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public TargetConfig {
    lead = List.copyOf(lead);
    classes = List.copyOf(classes);
    if (variable.isBlank()) {
      throw new ConfigKeyException("variable", "a target needs the name of a variable");
    }
    if (lead.isEmpty() || lead.stream().anyMatch(steps -> steps < 0)) {
      throw new ConfigKeyException(
          "lead", "of " + variable + " must be steps ahead, 0 or more, not " + lead);
    }
    if (!(weight > 0 && Double.isFinite(weight))) {
      throw new ConfigKeyException(
          "weight", "of " + variable + " must be a number above 0, not " + weight);
    }
    for (int i = 0; i < classes.size(); i++) {
      double edge = classes.get(i);
      if (!Double.isFinite(edge) || (i > 0 && !(edge > classes.get(i - 1)))) {
        throw new ConfigKeyException(
            "classes", "of " + variable + " must be ascending edges, not " + classes);
      }
    }
    if (!classes.isEmpty() && normalize != null && normalize != Normalization.NONE) {
      throw new ConfigKeyException(
          "normalize", "of " + variable + " is not for class numbers; leave it out");
    }
    if (Set.copyOf(lead).size() < lead.size()) {
      throw new ConfigKeyException("lead", "of " + variable + " has one twice: " + lead);
    }
  }

  /** A variable at the sample's own time. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static TargetConfig of(String variable) {
    return new TargetConfig(variable, List.of(0), null, 1, List.of());
  }

  /** From YAML, with defaults for what is left out. */
  @JsonCreator(mode = JsonCreator.Mode.PROPERTIES)
  static TargetConfig fromYaml(
      @JsonProperty("variable") @Nullable String variable,
      @JsonProperty("lead") @Nullable List<Integer> lead,
      @JsonProperty("normalize") @Nullable Normalization normalize,
      @JsonProperty("weight") @Nullable Double weight,
      @JsonProperty("classes") @Nullable List<Double> classes) {
    if (variable == null) {
      throw new ConfigKeyException("variable", "a target needs the name of a variable");
    }
    return new TargetConfig(
        variable,
        lead == null ? List.of(0) : lead,
        normalize,
        weight == null ? 1 : weight,
        classes == null ? List.of() : classes);
  }

  static List<TargetConfig> ofVariables(List<String> variables) {
    return variables.stream().map(TargetConfig::of).toList();
  }

  /** Whether it asks for what only fields have. */
  boolean onlyOfFields() {
    return !lead.equals(List.of(0)) || normalize != null || weight != 1 || !classes.isEmpty();
  }
}
