package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The settings of {@link Boosting} on their way; not thread-safe. */
public final class BoostingBuilder {
  final Communicator ranks;
  private @Nullable Objective objective;
  private Boosting.GrowPolicy growPolicy = Boosting.GrowPolicy.LEAF_WISE;
  private List<Integer> monotoneConstraints = List.of();
  private long seed;
  private int rounds = 100;
  private double learningRate = 0.1;
  private int numLeaves = 31;
  private int maxDepth = -1;
  private int maxBin = 255;
  private int minDataInLeaf = 20;
  private double minSumHessianInLeaf = 1e-3;
  private double lambdaL2;
  private double minGainToSplit;
  private double featureFraction = 1;
  private double featureFractionBynode = 1;
  private double baggingFraction = 1;
  private int earlyStoppingRound;
  private double catSmooth = 10;
  private double catL2 = 10;
  private double validationFraction;
  private int permutationSample;
  boolean trainLoss = true;
  FitListener listener = FitListener.none();

  BoostingBuilder(Communicator ranks) {
    this.ranks = ranks;
  }

  /** What is predicted; by default classes where the target is text, and numbers otherwise. */
  public BoostingBuilder objective(@Nullable Objective objective) {
    this.objective = objective;
    return this;
  }

  /** Which leaf is split next. */
  public BoostingBuilder growPolicy(Boosting.GrowPolicy growPolicy) {
    this.growPolicy = growPolicy;
    return this;
  }

  /** Of each feature: 1 where predictions may only rise with it, −1 fall, 0 either; or empty. */
  public BoostingBuilder monotoneConstraints(List<Integer> monotoneConstraints) {
    this.monotoneConstraints = List.copyOf(monotoneConstraints);
    return this;
  }

  /** Of everything that is drawn. */
  public BoostingBuilder seed(long seed) {
    this.seed = seed;
    return this;
  }

  /** Trees, or with several classes rounds of one tree for each. */
  public BoostingBuilder rounds(int rounds) {
    this.rounds = rounds;
    return this;
  }

  /** What each tree's leaves are multiplied by. */
  public BoostingBuilder learningRate(double learningRate) {
    this.learningRate = learningRate;
    return this;
  }

  /** Leaves of a tree at most. */
  public BoostingBuilder numLeaves(int numLeaves) {
    this.numLeaves = numLeaves;
    return this;
  }

  /** Levels of a tree at most; −1 for no limit. */
  public BoostingBuilder maxDepth(int maxDepth) {
    this.maxDepth = maxDepth;
    return this;
  }

  /** Bins of a feature, 2 to 255. */
  public BoostingBuilder maxBin(int maxBin) {
    this.maxBin = maxBin;
    return this;
  }

  /** Rows of a leaf at least. */
  public BoostingBuilder minDataInLeaf(int minDataInLeaf) {
    this.minDataInLeaf = minDataInLeaf;
    return this;
  }

  /** Hessian of a leaf at least. */
  public BoostingBuilder minSumHessianInLeaf(double minSumHessianInLeaf) {
    this.minSumHessianInLeaf = minSumHessianInLeaf;
    return this;
  }

  /** Penalty on the square of a leaf's value. */
  public BoostingBuilder lambdaL2(double lambdaL2) {
    this.lambdaL2 = lambdaL2;
    return this;
  }

  /** Gain of a split at least. */
  public BoostingBuilder minGainToSplit(double minGainToSplit) {
    this.minGainToSplit = minGainToSplit;
    return this;
  }

  /** Share of features that a tree sees. */
  public BoostingBuilder featureFraction(double featureFraction) {
    this.featureFraction = featureFraction;
    return this;
  }

  /** Share of features that a node sees. */
  public BoostingBuilder featureFractionBynode(double featureFractionBynode) {
    this.featureFractionBynode = featureFractionBynode;
    return this;
  }

  /** Share of rows that a round sees. */
  public BoostingBuilder baggingFraction(double baggingFraction) {
    this.baggingFraction = baggingFraction;
    return this;
  }

  /** Rounds without a better validation loss that end it; 0 for none. */
  public BoostingBuilder earlyStoppingRound(int earlyStoppingRound) {
    this.earlyStoppingRound = earlyStoppingRound;
    return this;
  }

  /** Smooths the order of categories. */
  public BoostingBuilder catSmooth(double catSmooth) {
    this.catSmooth = catSmooth;
    return this;
  }

  /** Penalty as lambda_l2, of splits by category. */
  public BoostingBuilder catL2(double catL2) {
    this.catL2 = catL2;
    return this;
  }

  /** Share of rows that are held out, by a hash of each. */
  public BoostingBuilder validationFraction(double validationFraction) {
    this.validationFraction = validationFraction;
    return this;
  }

  /**
   * Rows that are scored for importance by permutation: of those held out, or of all where none
   * are; 0 for none.
   */
  public BoostingBuilder permutationSample(int permutationSample) {
    this.permutationSample = permutationSample;
    return this;
  }

  /** Whether the loss of the fitted rows is measured in each round. */
  public BoostingBuilder trainLoss(boolean trainLoss) {
    this.trainLoss = trainLoss;
    return this;
  }

  /** Who is told, and asked for checkpoints. */
  public BoostingBuilder listener(FitListener listener) {
    this.listener = listener;
    return this;
  }

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException naming the setting that is wrong
   */
  public Boosting build() {
    Checks.trees(maxDepth, maxBin, minDataInLeaf, validationFraction);
    Checks.check(rounds >= 1, "rounds must be at least 1, not " + rounds);
    Checks.check(
        learningRate > 0 && Double.isFinite(learningRate),
        "learning_rate must be positive, not " + learningRate);
    Checks.check(
        numLeaves >= 2 && numLeaves <= 1 << 20,
        "num_leaves must be from 2 to 1048576, not " + numLeaves);
    Checks.check(
        earlyStoppingRound >= 0,
        "early_stopping_round must be at least 0, not " + earlyStoppingRound);
    Checks.notNegative("min_sum_hessian_in_leaf", minSumHessianInLeaf);
    Checks.notNegative("lambda_l2", lambdaL2);
    Checks.notNegative("min_gain_to_split", minGainToSplit);
    Checks.notNegative("cat_smooth", catSmooth);
    Checks.notNegative("cat_l2", catL2);
    Checks.share("feature_fraction", featureFraction);
    Checks.share("feature_fraction_bynode", featureFractionBynode);
    Checks.share("bagging_fraction", baggingFraction);
    Checks.check(
        earlyStoppingRound == 0 || validationFraction > 0,
        "early_stopping_round needs a validation_fraction above 0");
    Checks.check(
        permutationSample >= 0, "permutation_sample must be at least 0, not " + permutationSample);
    return new Boosting(this);
  }

  Boosting.Settings settings() {
    return new Boosting.Settings(
        objective,
        growPolicy,
        monotoneConstraints,
        seed,
        rounds,
        learningRate,
        numLeaves,
        maxDepth,
        maxBin,
        minDataInLeaf,
        minSumHessianInLeaf,
        lambdaL2,
        minGainToSplit,
        featureFraction,
        featureFractionBynode,
        baggingFraction,
        earlyStoppingRound,
        catSmooth,
        catL2,
        validationFraction,
        permutationSample);
  }
}
