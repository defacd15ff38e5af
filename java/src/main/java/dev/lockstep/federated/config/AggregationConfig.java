package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.train.Checks;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.aggregation}: how the changes of a round's clients become one. All but
 * the mean bear some clients that send anything whatever.
 *
 * @param rule which
 * @param faulty of {@link Rule#KRUM}, {@link Rule#MULTI_KRUM} and {@link Rule#TRIMMED_MEAN}:
 *     clients that may be faulty, at least 0
 * @param radius of {@link Rule#NORM_BOUND} and {@link Rule#CENTERED_CLIPPING}: the longest change
 *     that counts in full, above 0
 * @param iterations of {@link Rule#CENTERED_CLIPPING} and {@link Rule#GEOMETRIC_MEDIAN}, at least 1
 */
public record AggregationConfig(Rule rule, int faulty, double radius, int iterations) {

  /** Rules. */
  public enum Rule {
    /** Weighted by samples. */
    @JsonProperty("mean")
    MEAN,
    /** Of each coordinate (Yin et al. 2018). */
    @JsonProperty("median")
    MEDIAN,
    /** Of each coordinate the mean without the {@code faulty} largest and smallest (there). */
    @JsonProperty("trimmed_mean")
    TRIMMED_MEAN,
    /** The change that is nearest to its n − f − 2 nearest (Blanchard et al. 2017). */
    @JsonProperty("krum")
    KRUM,
    /** The mean of the n − f that are best by the same measure. */
    @JsonProperty("multi_krum")
    MULTI_KRUM,
    /** Smoothed Weiszfeld iterations (Pillutla, Kakade and Harchaoui 2022). */
    @JsonProperty("geometric_median")
    GEOMETRIC_MEDIAN,
    /** About the last round's aggregate (Karimireddy, He and Jaggi 2021). */
    @JsonProperty("centered_clipping")
    CENTERED_CLIPPING,
    /** The weighted mean of changes shortened to the radius (Sun et al. 2019). */
    @JsonProperty("norm_bound")
    NORM_BOUND
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public AggregationConfig {
    Checks.atLeast("faulty", faulty, 0);
    Checks.positive("radius", radius);
    Checks.atLeast("iterations", iterations, 1);
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static AggregationConfig of(
      @JsonProperty("rule") @Nullable Rule rule,
      @JsonProperty("faulty") @Nullable Integer faulty,
      @JsonProperty("radius") @Nullable Double radius,
      @JsonProperty("iterations") @Nullable Integer iterations) {
    Rule chosen = rule == null ? Rule.MEAN : rule;
    return new AggregationConfig(
        chosen,
        faulty == null ? 1 : faulty,
        radius == null ? 1 : radius,
        iterations == null ? (chosen == Rule.GEOMETRIC_MEDIAN ? 50 : 3) : iterations);
  }

  /** The mean. */
  public static AggregationConfig defaults() {
    return of(null, null, null, null);
  }

  /** The fewest answers of a round with which the rule bears {@code faulty} of them. */
  public int fewest() {
    return switch (rule) {
      case KRUM, MULTI_KRUM -> 2 * faulty + 3;
      case TRIMMED_MEAN -> 2 * faulty + 1;
      default -> 1;
    };
  }
}
