package dev.lockstep.learn;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Gradient boosted trees over the rows of all ranks: exact quantile bins, gradients and hessians as
 * integers, histograms summed by a reduce-scatter by feature. The settings have LightGBM's names
 * and defaults where they mean the same. Immutable; {@link #fit} is collective.
 */
public final class Boosting {
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

  Boosting(BoostingBuilder builder) {
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
      double validationFraction,
      int permutationSample) {}

  /** Starts with LightGBM's defaults. */
  public static BoostingBuilder builder(Communicator ranks) {
    return new BoostingBuilder(requireNonNull(ranks, "ranks"));
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
    TreeProblem problem =
        TreeProblem.of(
            ranks,
            TreeModel.BOOSTING,
            Json.text(settings),
            settings.objective(),
            settings.monotoneConstraints(),
            table);
    long begin = System.nanoTime();
    try (NativeTrees run =
        new NativeTrees(
            ranks, table, settings.maxBin(), settings.validationFraction(), settings.seed())) {
      listener.phase("bin", (System.nanoTime() - begin) / 1e9);
      return new Fit(run, problem, table).go();
    }
  }

  /** One fit. */
  private final class Fit {
    private final NativeTrees run;
    private final TreeProblem problem;
    private final Table table;
    private final int outputs;
    private final List<double[]> trees = new ArrayList<>();
    private int bestRound;
    private double bestLoss = Double.MAX_VALUE;

    Fit(NativeTrees run, TreeProblem problem, Table table) {
      this.run = run;
      this.problem = problem;
      this.table = table;
      outputs = problem.outputs();
    }

    TreeModel go() {
      run.startBoosting(
          problem,
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
          settings.monotoneConstraints());
      int round = Agreement.broadcast(ranks, listener::resumeFrom).map(this::resume).orElse(0);
      long begin = System.nanoTime();
      while (round < settings.rounds() && !isOver(round)) {
        boost(round++);
        boolean stop =
            ranks.allReduce(new long[] {listener.stopRequested() ? 1 : 0}, ReduceOp.MAX)[0] != 0;
        int every = listener.checkpointEvery();
        if (ranks.rank() == 0 && (stop || (every > 0 && round % every == 0))) {
          State state =
              new State(problem.hash(), round, bestRound, bestLoss, trees.toArray(double[][]::new));
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
      problem.checkSame(state.problem());
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
      if (problem.objective() == Objective.BINARY && kept == trees.size()) {
        double auc = run.auc();
        if (!Double.isNaN(auc)) {
          scores.put(settings.validationFraction() > 0 ? "validation_auc" : "train_auc", auc);
        }
      }
      List<DecisionTree> decoded =
          trees.subList(0, kept).stream().map(tree -> DecisionTree.decode(tree, 1)).toList();
      return problem.model(
          TreeModel.BOOSTING,
          table,
          settings.seed(),
          scores,
          run.initialScores(outputs),
          decoded,
          run.permutationImportance(kept, settings.permutationSample(), settings.seed()));
    }
  }
}
