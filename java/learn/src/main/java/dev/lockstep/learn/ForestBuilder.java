package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The settings of {@link Forest} on their way; not thread-safe. */
public final class ForestBuilder {
  final Communicator ranks;
  private @Nullable Objective objective;
  private List<Integer> monotoneConstraints = List.of();
  private long seed;
  private int trees = 100;
  private int maxDepth = -1;
  private int maxBin = 255;
  private int minDataInLeaf = 1;
  private double minGainToSplit;
  private @Nullable Double featureFractionBynode;
  private double validationFraction;
  private int permutationSample;
  FitListener listener = FitListener.none();

  ForestBuilder(Communicator ranks) {
    this.ranks = ranks;
  }

  /** What is predicted; by default classes where the target is text, and numbers otherwise. */
  public ForestBuilder objective(@Nullable Objective objective) {
    this.objective = objective;
    return this;
  }

  /**
   * Of each feature: 1 where predictions may only rise with it, −1 fall, 0 either; or empty. For
   * numbers, not for classes.
   */
  public ForestBuilder monotoneConstraints(List<Integer> monotoneConstraints) {
    this.monotoneConstraints = List.copyOf(monotoneConstraints);
    return this;
  }

  /** Of everything that is drawn. */
  public ForestBuilder seed(long seed) {
    this.seed = seed;
    return this;
  }

  /** How many. */
  public ForestBuilder trees(int trees) {
    this.trees = trees;
    return this;
  }

  /** Levels of a tree at most; −1 for no limit. */
  public ForestBuilder maxDepth(int maxDepth) {
    this.maxDepth = maxDepth;
    return this;
  }

  /** Bins of a feature, 2 to 255. */
  public ForestBuilder maxBin(int maxBin) {
    this.maxBin = maxBin;
    return this;
  }

  /** Rows of a leaf at least, each counted once however often it was drawn. */
  public ForestBuilder minDataInLeaf(int minDataInLeaf) {
    this.minDataInLeaf = minDataInLeaf;
    return this;
  }

  /** What a split must bring at least, in squared error, or rows × Gini's impurity. */
  public ForestBuilder minGainToSplit(double minGainToSplit) {
    this.minGainToSplit = minGainToSplit;
    return this;
  }

  /**
   * Share of features that a node tries; by default of n features √n for classes and a third for
   * numbers.
   */
  public ForestBuilder featureFractionBynode(@Nullable Double featureFractionBynode) {
    this.featureFractionBynode = featureFractionBynode;
    return this;
  }

  /** Share of rows that are held out, by a hash of each. */
  public ForestBuilder validationFraction(double validationFraction) {
    this.validationFraction = validationFraction;
    return this;
  }

  /**
   * Rows that are scored for importance by permutation: of those held out, or of all where none
   * are; 0 for none.
   */
  public ForestBuilder permutationSample(int permutationSample) {
    this.permutationSample = permutationSample;
    return this;
  }

  /** Who is told, and asked for checkpoints. */
  public ForestBuilder listener(FitListener listener) {
    this.listener = listener;
    return this;
  }

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException naming the setting that is wrong
   */
  public Forest build() {
    Checks.check(trees >= 1, "trees must be at least 1, not " + trees);
    Checks.trees(maxDepth, maxBin, minDataInLeaf, validationFraction);
    Checks.notNegative("min_gain_to_split", minGainToSplit);
    if (featureFractionBynode != null) {
      Checks.share("feature_fraction_bynode", featureFractionBynode);
    }
    Checks.check(
        permutationSample >= 0, "permutation_sample must be at least 0, not " + permutationSample);
    return new Forest(this);
  }

  Forest.Settings settings() {
    return new Forest.Settings(
        objective,
        monotoneConstraints,
        seed,
        trees,
        maxDepth,
        maxBin,
        minDataInLeaf,
        minGainToSplit,
        featureFractionBynode,
        validationFraction,
        permutationSample);
  }
}
