package dev.lockstep.learn;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Gradient boosted trees over the rows of all ranks: exact quantile bins, gradients and hessians as
 * integers, histograms summed by a reduce-scatter by feature. The settings have LightGBM's names
 * and defaults where they mean the same. Immutable; {@link #fit} is collective.
 */
public final class Boosting {
  /** What is predicted, and which loss is lowered. */
  public enum Objective {
    /** A number, by its squared error. */
    REGRESSION,
    /** The probability of class 1 of 0 and 1, by the logarithmic loss. */
    BINARY,
    /** The probabilities of classes 0, 1, …, by the logarithmic loss of their softmax. */
    MULTICLASS
  }

  /** Which leaf is split next. */
  public enum GrowPolicy {
    /** The one with the greatest gain. */
    LEAF_WISE,
    /** The highest, and of these the one with the greatest gain. */
    DEPTH_WISE
  }

  private final Communicator ranks;
  private final Settings settings;
  private final boolean trainLoss;
  private final FitListener listener;

  private Boosting(Builder builder) {
    ranks = builder.ranks;
    settings = builder.settings();
    trainLoss = builder.trainLoss;
    listener = builder.listener;
  }

  /** What the model depends on besides the data. */
  record Settings(
      @Nullable Objective objective,
      GrowPolicy growPolicy,
      List<Integer> monotoneConstraints,
      long seed,
      int rounds,
      double learningRate,
      int numLeaves,
      int maxDepth,
      int maxBin,
      int minDataInLeaf,
      double minSumHessianInLeaf,
      double lambdaL2,
      double minGainToSplit,
      double featureFraction,
      double featureFractionBynode,
      double baggingFraction,
      int earlyStoppingRound,
      double catSmooth,
      double catL2,
      double validationFraction) {}

  /** Starts with LightGBM's defaults. */
  public static Builder builder(Communicator ranks) {
    return new Builder(requireNonNull(ranks, "ranks"));
  }

  /** Settings on their way; not thread-safe. */
  public static final class Builder {
    private final Communicator ranks;
    private @Nullable Objective objective;
    private GrowPolicy growPolicy = GrowPolicy.LEAF_WISE;
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
    private boolean trainLoss = true;
    private FitListener listener = FitListener.none();

    private Builder(Communicator ranks) {
      this.ranks = ranks;
    }

    /** What is predicted; by default classes where the target is text, and numbers otherwise. */
    public Builder objective(@Nullable Objective objective) {
      this.objective = objective;
      return this;
    }

    /** Which leaf is split next. */
    public Builder growPolicy(GrowPolicy growPolicy) {
      this.growPolicy = growPolicy;
      return this;
    }

    /** Of each feature: 1 where predictions may only rise with it, −1 fall, 0 either; or empty. */
    public Builder monotoneConstraints(List<Integer> monotoneConstraints) {
      this.monotoneConstraints = List.copyOf(monotoneConstraints);
      return this;
    }

    /** Of everything that is drawn. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /** Trees, or with several classes rounds of one tree for each. */
    public Builder rounds(int rounds) {
      this.rounds = rounds;
      return this;
    }

    /** What each tree's leaves are multiplied by. */
    public Builder learningRate(double learningRate) {
      this.learningRate = learningRate;
      return this;
    }

    /** Leaves of a tree at most. */
    public Builder numLeaves(int numLeaves) {
      this.numLeaves = numLeaves;
      return this;
    }

    /** Levels of a tree at most; −1 for no limit. */
    public Builder maxDepth(int maxDepth) {
      this.maxDepth = maxDepth;
      return this;
    }

    /** Bins of a feature, 2 to 255. */
    public Builder maxBin(int maxBin) {
      this.maxBin = maxBin;
      return this;
    }

    /** Rows of a leaf at least. */
    public Builder minDataInLeaf(int minDataInLeaf) {
      this.minDataInLeaf = minDataInLeaf;
      return this;
    }

    /** Hessian of a leaf at least. */
    public Builder minSumHessianInLeaf(double minSumHessianInLeaf) {
      this.minSumHessianInLeaf = minSumHessianInLeaf;
      return this;
    }

    /** Penalty on the square of a leaf's value. */
    public Builder lambdaL2(double lambdaL2) {
      this.lambdaL2 = lambdaL2;
      return this;
    }

    /** Gain of a split at least. */
    public Builder minGainToSplit(double minGainToSplit) {
      this.minGainToSplit = minGainToSplit;
      return this;
    }

    /** Share of features that a tree sees. */
    public Builder featureFraction(double featureFraction) {
      this.featureFraction = featureFraction;
      return this;
    }

    /** Share of features that a node sees. */
    public Builder featureFractionBynode(double featureFractionBynode) {
      this.featureFractionBynode = featureFractionBynode;
      return this;
    }

    /** Share of rows that a round sees. */
    public Builder baggingFraction(double baggingFraction) {
      this.baggingFraction = baggingFraction;
      return this;
    }

    /** Rounds without a better validation loss that end it; 0 for none. */
    public Builder earlyStoppingRound(int earlyStoppingRound) {
      this.earlyStoppingRound = earlyStoppingRound;
      return this;
    }

    /** Smooths the order of categories. */
    public Builder catSmooth(double catSmooth) {
      this.catSmooth = catSmooth;
      return this;
    }

    /** Penalty as lambda_l2, of splits by category. */
    public Builder catL2(double catL2) {
      this.catL2 = catL2;
      return this;
    }

    /** Share of rows that are held out, by a hash of each. */
    public Builder validationFraction(double validationFraction) {
      this.validationFraction = validationFraction;
      return this;
    }

    /** Whether the loss of the fitted rows is measured in each round. */
    public Builder trainLoss(boolean trainLoss) {
      this.trainLoss = trainLoss;
      return this;
    }

    /** Who is told, and asked for checkpoints. */
    public Builder listener(FitListener listener) {
      this.listener = listener;
      return this;
    }

    /**
     * Checks the settings.
     *
     * @throws IllegalArgumentException naming the setting that is wrong
     */
    public Boosting build() {
      check(rounds >= 1, "rounds must be at least 1, not " + rounds);
      check(
          learningRate > 0 && Double.isFinite(learningRate),
          "learning_rate must be positive, not " + learningRate);
      check(
          numLeaves >= 2 && numLeaves <= 1 << 20,
          "num_leaves must be from 2 to 1048576, not " + numLeaves);
      check(maxDepth == -1 || maxDepth >= 1, "max_depth must be -1 or at least 1, not " + maxDepth);
      check(maxBin >= 2 && maxBin <= 255, "max_bin must be from 2 to 255, not " + maxBin);
      check(minDataInLeaf >= 0, "min_data_in_leaf must be at least 0, not " + minDataInLeaf);
      check(
          earlyStoppingRound >= 0,
          "early_stopping_round must be at least 0, not " + earlyStoppingRound);
      notNegative("min_sum_hessian_in_leaf", minSumHessianInLeaf);
      notNegative("lambda_l2", lambdaL2);
      notNegative("min_gain_to_split", minGainToSplit);
      notNegative("cat_smooth", catSmooth);
      notNegative("cat_l2", catL2);
      share("feature_fraction", featureFraction);
      share("feature_fraction_bynode", featureFractionBynode);
      share("bagging_fraction", baggingFraction);
      check(
          validationFraction >= 0 && validationFraction < 1,
          "validation_fraction must be at least 0 and below 1, not " + validationFraction);
      check(
          earlyStoppingRound == 0 || validationFraction > 0,
          "early_stopping_round needs a validation_fraction above 0");
      return new Boosting(this);
    }

    private static void check(boolean holds, String problem) {
      if (!holds) {
        throw new IllegalArgumentException(problem);
      }
    }

    private static void notNegative(String name, double value) {
      check(value >= 0 && Double.isFinite(value), name + " must be at least 0, not " + value);
    }

    private static void share(String name, double value) {
      check(value > 0 && value <= 1, name + " must be above 0 and at most 1, not " + value);
    }

    private Boosting.Settings settings() {
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
          validationFraction);
    }
  }

  /** Where a fit stands between two rounds. */
  @SuppressWarnings("ArrayRecordComponent") // read and written as a whole, never compared
  record State(String problem, int round, int bestRound, double bestLoss, double[][] trees) {}

  /**
   * Fits a model; collective.
   *
   * @param table this rank's rows with a target; the same columns on all ranks, of which one has at
   *     least one row
   * @return the model, the same on all ranks
   * @throws LearningException where the tables or settings of two ranks differ
   * @throws IllegalArgumentException for a target or settings that do not fit the data
   * @throws FitStoppedException when the listener of a rank asked for it
   */
  public TreeModel fit(Table table) {
    if (!table.hasTarget()) {
      throw new IllegalArgumentException("trees need a target to predict; name its column");
    }
    int monotone = settings.monotoneConstraints().size();
    if (monotone != 0 && monotone != table.names().size()) {
      throw new IllegalArgumentException(
          "monotone_constraints: give one number for each of the %s features, not %s"
              .formatted(Integer.toString(table.names().size()), Integer.toString(monotone)));
    }
    Agreement.check(
        ranks,
        "boosting",
        Json.text(settings) + "\ncolumns " + table.names() + table.categories() + table.classes());
    boolean[] categorical = new boolean[table.names().size()];
    for (int i = 0; i < categorical.length; i++) {
      categorical[i] = !table.categories().get(i).isEmpty();
    }
    double largest = largestTarget(table);
    long begin = System.nanoTime();
    try (NativeTrees run =
        new NativeTrees(
            ranks,
            table,
            categorical,
            settings.maxBin(),
            settings.validationFraction(),
            settings.seed())) {
      listener.phase("bin", (System.nanoTime() - begin) / 1e9);
      return new Fit(run, table, largest).go();
    }
  }

  private double largestTarget(Table table) {
    DoubleBuffer target = table.target();
    double[] largest = {Double.NEGATIVE_INFINITY};
    while (target.hasRemaining()) {
      largest[0] = Math.max(largest[0], target.get());
    }
    return ranks.allReduce(largest, ReduceOp.MAX)[0];
  }

  /** One fit. */
  private final class Fit {
    private final NativeTrees run;
    private final Table table;
    private final Objective objective;
    private final int outputs;
    private final String problem;
    private final List<double[]> trees = new ArrayList<>();
    private int bestRound;
    private double bestLoss = Double.MAX_VALUE;

    Fit(NativeTrees run, Table table, double largest) {
      this.run = run;
      this.table = table;
      int classes = table.classes().isEmpty() ? (int) largest + 1 : table.classes().size();
      Objective asked = settings.objective();
      if (asked == null) {
        asked =
            table.classes().isEmpty()
                ? Objective.REGRESSION
                : classes <= 2 ? Objective.BINARY : Objective.MULTICLASS;
      }
      objective = asked;
      outputs = objective == Objective.MULTICLASS ? Math.max(2, classes) : 1;
      problem =
          Json.sha256(Json.text(settings) + table.names() + table.categories() + table.classes());
    }

    TreeModel go() {
      run.start(
          objective.ordinal(),
          outputs,
          settings.seed(),
          new double[] {
            settings.learningRate(),
            settings.baggingFraction(),
            settings.numLeaves(),
            settings.maxDepth(),
            settings.minDataInLeaf(),
            settings.minSumHessianInLeaf(),
            settings.lambdaL2(),
            settings.minGainToSplit(),
            settings.featureFraction(),
            settings.featureFractionBynode(),
            settings.catSmooth(),
            settings.catL2(),
            settings.growPolicy().ordinal(),
            trainLoss ? 1 : 0
          },
          settings.monotoneConstraints().stream().mapToInt(Integer::intValue).toArray());
      int round = Agreement.broadcast(ranks, listener::resumeFrom).map(this::resume).orElse(0);
      long begin = System.nanoTime();
      while (round < settings.rounds() && !isOver(round)) {
        boost(round++);
        boolean stop =
            ranks.allReduce(new long[] {listener.stopRequested() ? 1 : 0}, ReduceOp.MAX)[0] != 0;
        int every = listener.checkpointEvery();
        if (ranks.rank() == 0 && (stop || (every > 0 && round % every == 0))) {
          State state =
              new State(problem, round, bestRound, bestLoss, trees.toArray(double[][]::new));
          listener.checkpoint(round, Json.text(state));
        }
        if (stop) {
          throw new FitStoppedException(round);
        }
      }
      listener.phase("grow", (System.nanoTime() - begin) / 1e9);
      return model();
    }

    private int resume(String text) {
      State state = Json.read(text, State.class, "the checkpoint");
      if (!state.problem().equals(problem)) {
        throw new LearningException(
            "The checkpoint is of other settings or columns; start without --resume.");
      }
      for (double[] tree : state.trees()) {
        run.add(tree);
        trees.add(tree);
      }
      bestRound = state.bestRound();
      bestLoss = state.bestLoss();
      return state.round();
    }

    private boolean isOver(int round) {
      return settings.earlyStoppingRound() > 0
          && round - bestRound >= settings.earlyStoppingRound();
    }

    private void boost(int round) {
      NativeTrees.Loss loss = run.boost(round);
      for (int k = 0; k < outputs; k++) {
        trees.add(run.tree(trees.size()));
      }
      Map<String, Double> values = new LinkedHashMap<>();
      if (!Double.isNaN(loss.training())) {
        values.put("train_loss", loss.training());
      }
      if (!Double.isNaN(loss.validation())) {
        values.put("validation_loss", loss.validation());
        if (loss.validation() < bestLoss) {
          bestLoss = loss.validation();
          bestRound = round + 1;
        }
      }
      listener.step(round + 1, settings.rounds(), values);
    }

    private TreeModel model() {
      NativeTrees.Loss loss = run.loss();
      Map<String, Double> scores = new LinkedHashMap<>();
      // Not train_loss: whether it is measured must not change the model's bytes.
      if (!Double.isNaN(loss.validation())) {
        scores.put(
            "validation_loss", settings.earlyStoppingRound() > 0 ? bestLoss : loss.validation());
      }
      int kept = settings.earlyStoppingRound() > 0 ? bestRound * outputs : trees.size();
      if (objective == Objective.BINARY && kept == trees.size()) {
        double auc = run.auc();
        if (!Double.isNaN(auc)) {
          scores.put(settings.validationFraction() > 0 ? "validation_auc" : "train_auc", auc);
        }
      }
      return new TreeModel(
          new TreeModel.Document(
              TreeModel.FORMAT,
              1,
              objective.name().toLowerCase(Locale.ROOT),
              table.names(),
              table.categories(),
              table.classes(),
              settings.seed(),
              scores,
              run.initialScores(outputs),
              trees.subList(0, kept).stream().map(DecisionTree::decode).toList()));
    }
  }
}
