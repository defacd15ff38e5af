package dev.lockstep.data;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One feature: a variable of the file as it is, or a periodic function of one. In YAML either the
 * variable's name alone, or for example {@code {variable: TIME, function: sine, period: 8765.82}}.
 * Of fields (with {@code data.samples}) also steps back along time, as in {@code {variable: UWND,
 * lags: [0, 1, 2]}}, and functions of the sample's place and time, as in {@code {function:
 * cos_latitude}}.
 *
 * @param variable the variable or column; of an array without column names, {@code name[2]} is its
 *     third column and {@code name} all of them
 * @param function what is done with its values
 * @param period of sine and cosine in the variable's own units (360 for a latitude in degrees);
 *     zero for {@link Function#VALUE}
 * @param name how metrics and messages call the feature
 * @param lags of fields: steps back along time, 0 for the sample's own; a channel for each
 * @param mean of fields: how many steps up to the lag are averaged
 * @param normalize of fields: how its values are brought to the network's scale; like {@code
 *     data.normalize} if left out
 */
public record FeatureConfig(
    String variable,
    Function function,
    double period,
    String name,
    List<Integer> lags,
    int mean,
    @Nullable Normalization normalize) {

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
    COSINE,
    /** Of fields, without a variable: the cosine of the latitude. */
    @JsonProperty("cos_latitude")
    COS_LATITUDE,
    /** Of fields, without a variable: the sine of the latitude. */
    @JsonProperty("sin_latitude")
    SIN_LATITUDE,
    /** Of fields, without a variable: sine and cosine of the longitude, two channels. */
    @JsonProperty("longitude")
    LONGITUDE,
    /** Of fields, without a variable: sine and cosine of the time of year, two channels. */
    @JsonProperty("day_of_year")
    DAY_OF_YEAR,
    /** Of fields, without a variable: sine and cosine of the time of day (UTC), two channels. */
    @JsonProperty("hour")
    HOUR,
    /**
     * Of fields, without a variable: the daily mean at the top of the atmosphere, in W m⁻² (Berger
     * 1978 for the present orbit; 1361 W m⁻²).
     */
    @JsonProperty("insolation")
    INSOLATION;

    double apply(double value, double period) {
      return switch (this) {
        case SINE -> Math.sin(2 * Math.PI * value / period);
        case COSINE -> Math.cos(2 * Math.PI * value / period);
        default -> value;
      };
    }

    /** Whether it is a function of the sample's place and time instead of a variable. */
    public boolean ofCoordinates() {
      return compareTo(COSINE) > 0;
    }
  }

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the key that is wrong
   */
  public FeatureConfig {
    lags = List.copyOf(lags);
    if (variable.isBlank() != function.ofCoordinates()) {
      throw function.ofCoordinates()
          ? new ConfigKeyException("variable", "function " + name + " takes no variable")
          : new ConfigKeyException("variable", "a feature needs the name of a variable");
    }
    if (lags.isEmpty() || lags.stream().anyMatch(lag -> lag < 0) || mean < 1) {
      throw new ConfigKeyException(
          "lags",
          "of "
              + name
              + " must be steps back, 0 or more, and mean at least 1, not "
              + lags
              + " and "
              + mean);
    }
    if (Set.copyOf(lags).size() < lags.size()) {
      throw new ConfigKeyException("lags", "of " + name + " has one twice: " + lags);
    }
    boolean periodic = function == Function.SINE || function == Function.COSINE;
    if (!periodic && period != 0) {
      throw new ConfigKeyException(
          "period",
          "feature " + name + " has a period but no function; add function: sine or cosine");
    }
    if (periodic && !(period > 0 && Double.isFinite(period))) {
      throw new ConfigKeyException(
          "period", "feature " + name + " needs a positive period in the units of " + variable);
    }
  }

  /** Of the sample's own time, normalised as the data set says. */
  public FeatureConfig(String variable, Function function, double period, String name) {
    this(variable, function, period, name, List.of(0), 1, null);
  }

  /** Whether it asks for what only fields have. */
  boolean onlyOfFields() {
    return function.ofCoordinates() || !lags.equals(List.of(0)) || mean != 1 || normalize != null;
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
      @JsonProperty("name") @Nullable String name,
      @JsonProperty("lags") @Nullable List<Integer> lags,
      @JsonProperty("mean") @Nullable Integer mean,
      @JsonProperty("normalize") @Nullable Normalization normalize) {
    Function chosen = function == null ? Function.VALUE : function;
    if (variable == null && !chosen.ofCoordinates()) {
      throw new ConfigKeyException("variable", "a feature needs the name of a variable");
    }
    String of = variable == null ? "" : variable;
    String standardName =
        switch (chosen) {
          case VALUE -> of;
          case SINE -> "sin(" + of + ")";
          case COSINE -> "cos(" + of + ")";
          default -> chosen.name().toLowerCase(Locale.ROOT);
        };
    if (mean != null && mean > 1) {
      standardName = "mean" + mean + "(" + standardName + ")";
    }
    return new FeatureConfig(
        of,
        chosen,
        period == null ? 0 : period,
        name == null ? standardName : name,
        lags == null ? List.of(0) : lags,
        mean == null ? 1 : mean,
        normalize);
  }

  static List<FeatureConfig> ofVariables(List<String> variables) {
    return variables.stream().map(FeatureConfig::of).toList();
  }
}
