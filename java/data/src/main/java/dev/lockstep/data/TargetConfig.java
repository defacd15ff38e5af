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
 */
public record TargetConfig(String variable, List<Integer> lead, @Nullable Normalization normalize) {
  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public TargetConfig {
    lead = List.copyOf(lead);
    if (variable.isBlank()) {
      throw new ConfigKeyException("variable", "a target needs the name of a variable");
    }
    if (lead.isEmpty() || lead.stream().anyMatch(steps -> steps < 0)) {
      throw new ConfigKeyException(
          "lead", "of " + variable + " must be steps ahead, 0 or more, not " + lead);
    }
    if (Set.copyOf(lead).size() < lead.size()) {
      throw new ConfigKeyException("lead", "of " + variable + " has one twice: " + lead);
    }
  }

  /** A variable at the sample's own time. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static TargetConfig of(String variable) {
    return new TargetConfig(variable, List.of(0), null);
  }

  /** From YAML, with defaults for what is left out. */
  @JsonCreator(mode = JsonCreator.Mode.PROPERTIES)
  static TargetConfig fromYaml(
      @JsonProperty("variable") @Nullable String variable,
      @JsonProperty("lead") @Nullable List<Integer> lead,
      @JsonProperty("normalize") @Nullable Normalization normalize) {
    if (variable == null) {
      throw new ConfigKeyException("variable", "a target needs the name of a variable");
    }
    return new TargetConfig(variable, lead == null ? List.of(0) : lead, normalize);
  }

  static List<TargetConfig> ofVariables(List<String> variables) {
    return variables.stream().map(TargetConfig::of).toList();
  }

  /** Whether it asks for what only fields have. */
  boolean onlyOfFields() {
    return !lead.equals(List.of(0)) || normalize != null;
  }
}
