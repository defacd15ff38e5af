package dev.lockstep.localize;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code algorithm} section of a configuration: matrix-parametrised proximal splitting (Barkley
 * and Bassett, arXiv 2503.13403) and the refinement after it.
 *
 * @param gamma step of the duals, in (0, 1)
 * @param alpha step of the prox, above 0
 * @param maxIterations at least 1
 * @param tolerance the iteration ends when the consensus residual is below; 0: never
 * @param earlyTermination the paper's heuristic: end when the best objective is more than 100
 *     iterations old
 * @param form one splitting matrix for each entry (for networks of any size), or the published one
 * @param design of the splitting's weights
 * @param weights for {@link Design#USER}: a JSON file with the sensors × sensors matrix P; relative
 *     paths are relative to where the command runs
 * @param prox exact, or the published inner ADMM
 * @param maxNeighbors of a sensor in its block of the relaxation, where the network does not say
 *     which; 1 to 28
 * @param start a {@code positions.csv} to start warm from; null: cold
 * @param refine whether the positions are those after Levenberg–Marquardt on all distances
 * @param uncertainty whether covariances and mirror images are computed; they are those of the
 *     refined estimate, so refinement runs for them even where the positions are not refined
 * @param huber threshold of the refinement's robust loss in standard deviations; 0: least squares
 * @param refineIterations at most so many
 * @param refineTolerance relative decrease of the cost at which refinement ends
 * @param record after which iterations {@code result.json} tells error and objective
 */
public record SplittingConfig(
    double gamma,
    double alpha,
    int maxIterations,
    double tolerance,
    boolean earlyTermination,
    Form form,
    Design design,
    @Nullable String weights,
    Prox prox,
    int maxNeighbors,
    @Nullable String start,
    boolean refine,
    boolean uncertainty,
    double huber,
    int refineIterations,
    double refineTolerance,
    List<Integer> record) {

  /** As in {@code native-src/splitting/network/network.h}, which checks it, too. */
  private static final int MOST_NEIGHBORS = 28;

  /** How the relaxation's variables are split among sensors; codes as of the native enum. */
  public enum Form {
    /** One splitting matrix for each entry, over the sensors that hold it. */
    @JsonProperty("sparse")
    SPARSE,
    /** Every sensor holds a whole matrix, as published. */
    @JsonProperty("dense")
    DENSE
  }

  /** How weights are chosen; codes as of the native enum. */
  public enum Design {
    /** Alternate normalisation of rows and columns, as published. */
    @JsonProperty("sinkhorn_knopp")
    SINKHORN_KNOPP,
    /** 1 / (1 + the greater degree) between neighbours, the rest on the diagonal. */
    @JsonProperty("metropolis")
    METROPOLIS,
    /** From a file. */
    @JsonProperty("user")
    USER
  }

  /** How the proximal step is computed; codes as of the native enum. */
  public enum Prox {
    /** By the dual box quadratic program. */
    @JsonProperty("exact")
    EXACT,
    /** By at most 100 rounds of ADMM, as published. */
    @JsonProperty("inexact")
    INEXACT
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range; the message names the key
   */
  public SplittingConfig {
    check(gamma > 0 && gamma < 1, "gamma", "must be above 0 and below 1", gamma);
    check(alpha > 0 && Double.isFinite(alpha), "alpha", "must be above 0", alpha);
    check(maxIterations >= 1, "max_iterations", "must be at least 1", maxIterations);
    check(tolerance >= 0, "tolerance", "must be at least 0", tolerance);
    check(huber >= 0, "huber", "must be at least 0", huber);
    check(
        maxNeighbors >= 1 && maxNeighbors <= MOST_NEIGHBORS,
        "max_neighbors",
        "is 1 to 28",
        maxNeighbors);
    check(refineIterations >= 1, "refine_iterations", "must be at least 1", refineIterations);
    check(refineTolerance > 0, "refine_tolerance", "must be above 0", refineTolerance);
    if ((design == Design.USER) != (weights != null)) {
      throw new ConfigKeyException(
          "weights", "name a file for design: user, and for no other design.");
    }
    record = List.copyOf(record);
    for (int iteration : record) {
      check(iteration >= 1, "record", "holds iterations from 1 on", iteration);
    }
  }

  /**
   * Builds the section from the keys that a file gives; the others take their defaults.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  @JsonCreator
  public static SplittingConfig of(
      @JsonProperty("gamma") @Nullable Double gamma,
      @JsonProperty("alpha") @Nullable Double alpha,
      @JsonProperty("max_iterations") @Nullable Integer maxIterations,
      @JsonProperty("tolerance") @Nullable Double tolerance,
      @JsonProperty("early_termination") @Nullable Boolean earlyTermination,
      @JsonProperty("form") @Nullable Form form,
      @JsonProperty("design") @Nullable Design design,
      @JsonProperty("weights") @Nullable String weights,
      @JsonProperty("prox") @Nullable Prox prox,
      @JsonProperty("max_neighbors") @Nullable Integer maxNeighbors,
      @JsonProperty("start") @Nullable String start,
      @JsonProperty("refine") @Nullable Boolean refine,
      @JsonProperty("uncertainty") @Nullable Boolean uncertainty,
      @JsonProperty("huber") @Nullable Double huber,
      @JsonProperty("refine_iterations") @Nullable Integer refineIterations,
      @JsonProperty("refine_tolerance") @Nullable Double refineTolerance,
      @JsonProperty("record") @Nullable List<Integer> record) {
    Form chosen = form == null ? Form.SPARSE : form;
    Design usual = chosen == Form.DENSE ? Design.SINKHORN_KNOPP : Design.METROPOLIS;
    return new SplittingConfig(
        gamma == null ? 0.999 : gamma,
        alpha == null ? 10 : alpha,
        maxIterations == null ? 500 : maxIterations,
        tolerance == null ? 0 : tolerance,
        earlyTermination != null && earlyTermination,
        chosen,
        design != null ? design : weights != null ? Design.USER : usual,
        weights,
        prox == null ? Prox.EXACT : prox,
        maxNeighbors == null ? 7 : maxNeighbors,
        start,
        refine == null || refine,
        uncertainty == null || uncertainty,
        huber == null ? 0 : huber,
        refineIterations == null ? 200 : refineIterations,
        refineTolerance == null ? 1e-6 : refineTolerance,
        record == null ? List.of() : record);
  }

  /** 500 iterations in the sparse form with Metropolis weights, then refinement. */
  public static SplittingConfig defaults() {
    return of(
        null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
        null, null);
  }

  private static void check(boolean valid, String key, String rule, Number value) {
    if (!valid) {
      throw new ConfigKeyException(key, rule + ", not " + value + ".");
    }
  }
}
