package dev.lockstep.learn;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code learner} section of a fit. Each type has keys of its own, with the names of LightGBM
 * where they mean the same; a key of another type is refused.
 *
 * @param type which learner
 * @param clusters k-means: how many
 * @param initialization k-means: how the first centres are chosen
 * @param centers k-means: the first centres themselves, a list of lists
 * @param oversampling k-means||: candidates of a round, as a multiple of the clusters
 * @param seedingRounds k-means||: rounds
 * @param restarts k-means: starts, of which the best wins
 * @param maxIterations k-means: of each start
 * @param tolerance k-means: squared movement that ends a start, relative to the mean variance
 * @param batchShare k-means: the share of rows in a mini-batch; 1 for all
 * @param silhouetteSample k-means: rows among which the silhouette is measured
 * @param acceleration k-means: which bounds spare distances; the result is the same
 * @param trees forest: how many
 * @param objective trees: what is predicted; by default classes where the target is text
 * @param growPolicy boosting: which leaf is split next
 * @param monotoneConstraints trees: of each feature 1, −1 or 0; in a forest for numbers alone
 * @param trainLoss boosting: whether the loss of the fitted rows is measured in each round
 * @param rounds boosting: trees, or with several classes rounds of one tree for each
 * @param learningRate boosting: what each tree's leaves are multiplied by
 * @param numLeaves boosting: leaves of a tree at most
 * @param maxDepth trees: levels of a tree at most; −1 for no limit
 * @param maxBin trees: bins of a feature, 2 to 255
 * @param minDataInLeaf trees: rows of a leaf at least; 20 in boosting, 1 in a forest
 * @param minSumHessianInLeaf boosting: hessian of a leaf at least
 * @param lambdaL2 boosting: penalty on the square of a leaf's value
 * @param minGainToSplit trees: gain of a split at least
 * @param featureFraction boosting: share of features that a tree sees
 * @param featureFractionBynode trees: share of features that a node sees; by default 1 in boosting,
 *     and of n features √n for classes and a third for numbers in a forest
 * @param baggingFraction boosting: share of rows that a round sees
 * @param earlyStoppingRound boosting: rounds without a better validation loss that end it; 0 for
 *     none
 * @param catSmooth boosting: smooths the order of categories
 * @param catL2 boosting: penalty as lambda_l2, of splits by category
 * @param permutationSample trees: rows that are scored for importance by permutation; 0 for none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record LearnerConfig(
    Type type,
    @Nullable Integer clusters,
    KMeans.@Nullable Initialization initialization,
    @Nullable List<List<Double>> centers,
    @Nullable Double oversampling,
    @Nullable Integer seedingRounds,
    @Nullable Integer restarts,
    @Nullable Integer maxIterations,
    @Nullable Double tolerance,
    @Nullable Double batchShare,
    @Nullable Integer silhouetteSample,
    KMeans.@Nullable Acceleration acceleration,
    @Nullable Integer trees,
    @Nullable Objective objective,
    Boosting.@Nullable GrowPolicy growPolicy,
    @Nullable List<Integer> monotoneConstraints,
    @Nullable Boolean trainLoss,
    @Nullable Integer rounds,
    @Nullable Double learningRate,
    @Nullable Integer numLeaves,
    @Nullable Integer maxDepth,
    @Nullable Integer maxBin,
    @Nullable Integer minDataInLeaf,
    @Nullable Double minSumHessianInLeaf,
    @Nullable Double lambdaL2,
    @Nullable Double minGainToSplit,
    @Nullable Double featureFraction,
    @Nullable Double featureFractionBynode,
    @Nullable Double baggingFraction,
    @Nullable Integer earlyStoppingRound,
    @Nullable Double catSmooth,
    @Nullable Double catL2,
    @Nullable Integer permutationSample) {

  /** Which learner. */
  public enum Type {
    /** Clusters around means. */
    @JsonProperty("kmeans")
    KMEANS,
    /** A random forest. */
    @JsonProperty("forest")
    FOREST,
    /** Gradient boosted trees. */
    @JsonProperty("boosting")
    BOOSTING
  }

  /**
   * Fills in the defaults of the type's keys.
   *
   * @throws IllegalArgumentException naming a key that is not the type's
   */
  public LearnerConfig {
    if (type == null) {
      throw new IllegalArgumentException("type: name the learner, as in type: kmeans");
    }
    Keys kmeans = new Keys(type, type == Type.KMEANS);
    clusters = kmeans.key("clusters", clusters, 8);
    initialization = kmeans.key("initialization", initialization, KMeans.Initialization.PARALLEL);
    kmeans.optional("centers", centers);
    oversampling = kmeans.key("oversampling", oversampling, 2.0);
    seedingRounds = kmeans.key("seeding_rounds", seedingRounds, 5);
    restarts = kmeans.key("restarts", restarts, 1);
    maxIterations = kmeans.key("max_iterations", maxIterations, 300);
    tolerance = kmeans.key("tolerance", tolerance, 0.0);
    batchShare = kmeans.key("batch_share", batchShare, 1.0);
    silhouetteSample = kmeans.key("silhouette_sample", silhouetteSample, 1000);
    acceleration = kmeans.key("acceleration", acceleration, KMeans.Acceleration.AUTO);
    trees = new Keys(type, type == Type.FOREST).key("trees", trees, 100);
    Keys both = new Keys(type, type != Type.KMEANS);
    both.optional("objective", objective);
    monotoneConstraints = both.key("monotone_constraints", monotoneConstraints, List.of());
    maxDepth = both.key("max_depth", maxDepth, -1);
    maxBin = both.key("max_bin", maxBin, 255);
    minDataInLeaf = both.key("min_data_in_leaf", minDataInLeaf, type == Type.FOREST ? 1 : 20);
    minGainToSplit = both.key("min_gain_to_split", minGainToSplit, 0.0);
    both.optional("feature_fraction_bynode", featureFractionBynode);
    permutationSample = both.key("permutation_sample", permutationSample, 0);
    Keys boosting = new Keys(type, type == Type.BOOSTING);
    growPolicy = boosting.key("grow_policy", growPolicy, Boosting.GrowPolicy.LEAF_WISE);
    trainLoss = boosting.key("train_loss", trainLoss, true);
    rounds = boosting.key("rounds", rounds, 100);
    learningRate = boosting.key("learning_rate", learningRate, 0.1);
    numLeaves = boosting.key("num_leaves", numLeaves, 31);
    minSumHessianInLeaf = boosting.key("min_sum_hessian_in_leaf", minSumHessianInLeaf, 1e-3);
    lambdaL2 = boosting.key("lambda_l2", lambdaL2, 0.0);
    featureFraction = boosting.key("feature_fraction", featureFraction, 1.0);
    if (type == Type.BOOSTING && featureFractionBynode == null) {
      featureFractionBynode = 1.0;
    }
    baggingFraction = boosting.key("bagging_fraction", baggingFraction, 1.0);
    earlyStoppingRound = boosting.key("early_stopping_round", earlyStoppingRound, 0);
    catSmooth = boosting.key("cat_smooth", catSmooth, 10.0);
    catL2 = boosting.key("cat_l2", catL2, 10.0);
  }

  /** The keys that some types have. */
  private record Keys(Type type, boolean apply) {
    <T> @Nullable T key(String name, @Nullable T value, T standard) {
      optional(name, value);
      return apply && value == null ? standard : value;
    }

    void optional(String name, @Nullable Object value) {
      if (!apply && value != null) {
        throw new IllegalArgumentException(
            name + ": is no setting of " + type.name().toLowerCase(java.util.Locale.ROOT));
      }
    }
  }
}
