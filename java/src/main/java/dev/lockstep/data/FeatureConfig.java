package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One feature: a variable of the file as it is, or a periodic function of one. In YAML either the
 * variable's name alone, or for example {@code {variable: TIME, function: sine, period: 8765.82}}.
 *
 * @param variable the variable or column; of an array without column names, {@code name[2]} is its
 *     third column and {@code name} all of them
 * @param function what is done with its values
 * @param period of sine and cosine in the variable's own units (360 for a latitude in degrees);
 *     zero for {@link Function#VALUE}
 * @param name how metrics and messages call the feature
 */
public record FeatureConfig(String variable, Function function, double period, String name) {

  /** What is done with a variable's values. */
  public enum Function {
    /** Nothing. */
    @JsonProperty("value")
    VALUE,
    /** sin(2π value ÷ period). */
    @JsonProperty("sine")
    SINE,
    /** cos(2π value ÷ period). */
    @JsonProperty("cosine")
    COSINE;

    double apply(double value, double period) {
      return switch (this) {
        case VALUE -> value;
        case SINE -> Math.sin(2 * Math.PI * value / period);
        case COSINE -> Math.cos(2 * Math.PI * value / period);
      };
    }
  }

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public FeatureConfig {
    if (variable.isBlank()) {
      throw new ConfigKeyException("variable", "a feature needs the name of a variable");
    }
    if (function == Function.VALUE && period != 0) {
      throw new ConfigKeyException(
          "period",
          "feature " + name + " has a period but no function; add function: sine or cosine");
    }
    if (function != Function.VALUE && !(period > 0 && Double.isFinite(period))) {
      throw new ConfigKeyException(
          "period", "feature " + name + " needs a positive period in the units of " + variable);
    }
  }

  /** A variable as it is. */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static FeatureConfig of(String variable) {
    return new FeatureConfig(variable, Function.VALUE, 0, variable);
  }

  /** From YAML, with defaults for what is left out. */
  @JsonCreator(mode = JsonCreator.Mode.PROPERTIES)
  static FeatureConfig fromYaml(
      @JsonProperty("variable") @Nullable String variable,
      @JsonProperty("function") @Nullable Function function,
      @JsonProperty("period") @Nullable Double period,
      @JsonProperty("name") @Nullable String name) {
    if (variable == null) {
      throw new ConfigKeyException("variable", "a feature needs the name of a variable");
    }
    Function chosen = function == null ? Function.VALUE : function;
    String standardName =
        switch (chosen) {
          case VALUE -> variable;
          case SINE -> "sin(" + variable + ")";
          case COSINE -> "cos(" + variable + ")";
        };
    return new FeatureConfig(
        variable, chosen, period == null ? 0 : period, name == null ? standardName : name);
  }

  static List<FeatureConfig> ofVariables(List<String> variables) {
    return variables.stream().map(FeatureConfig::of).toList();
  }
}
