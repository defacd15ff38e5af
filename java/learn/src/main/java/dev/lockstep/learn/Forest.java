package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A random forest (Breiman 2001) over the rows of all ranks: exact quantile bins, samples of rows
 * by Poisson's distribution (Oza and Russell 2001), features drawn for each node. Each rank holds
 * all rows as bins of a byte and grows whole trees, so that more ranks cost no messages within a
 * tree; which rank grows a tree does not change it. Immutable; {@link #fit} is collective.
 */
public final class Forest {
  private final Communicator ranks;
  private final Settings settings;
  private final FitListener listener;

  Forest(ForestBuilder builder) {
    ranks = builder.ranks;
    settings = builder.settings();
    listener = builder.listener;
  }

  /** What the model depends on besides the data. */
  record Settings(
      @Nullable Objective objective,
      List<Integer> monotoneConstraints,
      long seed,
      int trees,
      int maxDepth,
      int maxBin,
      int minDataInLeaf,
      double minGainToSplit,
      @Nullable Double featureFractionBynode,
      double validationFraction,
      int permutationSample) {}

  /** Starts with 100 trees that grow until their leaves are pure. */
  public static ForestBuilder builder(Communicator ranks) {
    return new ForestBuilder(ranks);
  }

  /** Where a fit stands between two trees. */
  @SuppressWarnings("ArrayRecordComponent") // read and written as a whole, never compared
  record State(String problem, double[][] trees) {}

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
            TreeModel.FOREST,
            Json.text(settings),
            settings.objective(),
            settings.monotoneConstraints(),
            table);
    Checks.check(
        settings.monotoneConstraints().isEmpty() || problem.objective() == Objective.REGRESSION,
        "monotone_constraints: a forest keeps them for numbers, not for classes");
    long begin = System.nanoTime();
    try (NativeTrees run =
        new NativeTrees(
            ranks, table, settings.maxBin(), settings.validationFraction(), settings.seed())) {
      run.startForest(
          problem,
          settings.seed(),
          new double[] {
            settings.maxDepth(),
            settings.minDataInLeaf(),
            settings.minGainToSplit(),
            share(problem, table.names().size())
          },
          settings.monotoneConstraints());
      listener.phase("bin", (System.nanoTime() - begin) / 1e9);
      return new Fit(run, problem, table).go();
    }
  }

  /** Of n features √n for classes and a third for numbers, as Breiman's program. */
  private double share(TreeProblem problem, int features) {
    Double asked = settings.featureFractionBynode();
    if (asked != null) {
      return asked;
    }
    return problem.objective() == Objective.REGRESSION ? 1.0 / 3 : 1 / Math.sqrt(features);
  }

  /** One fit. */
  private final class Fit {
    private final NativeTrees run;
    private final TreeProblem problem;
    private final Table table;
    private final List<double[]> trees = new ArrayList<>();

    Fit(NativeTrees run, TreeProblem problem, Table table) {
      this.run = run;
      this.problem = problem;
      this.table = table;
    }

    TreeModel go() {
      Agreement.broadcast(ranks, listener::resumeFrom).ifPresent(this::resume);
      long begin = System.nanoTime();
      int saved = trees.size();
      while (trees.size() < settings.trees()) {
        int grown = run.growForest(settings.trees());
        while (trees.size() < grown) {
          trees.add(run.tree(trees.size()));
        }
        Map<String, Double> measured = new LinkedHashMap<>();
        measure(measured);
        listener.step(grown, settings.trees(), measured);
        boolean stop =
            ranks.allReduce(new long[] {listener.stopRequested() ? 1 : 0}, ReduceOp.MAX)[0] != 0;
        int every = listener.checkpointEvery();
        if (stop || (every > 0 && grown - saved >= every)) {
          saved = grown;
          save(grown);
        }
        if (stop) {
          throw new FitStoppedException(grown);
        }
      }
      listener.phase("grow", (System.nanoTime() - begin) / 1e9);
      return model();
    }

    private void save(int step) {
      if (ranks.rank() == 0) {
        State state = new State(problem.hash(), trees.toArray(double[][]::new));
        listener.checkpoint(step, Json.text(state));
      }
    }

    private void resume(String text) {
      State state = Json.read(text, State.class, "the checkpoint");
      problem.checkSame(state.problem());
      for (double[] tree : state.trees()) {
        run.add(tree);
        trees.add(tree);
      }
    }

    private void measure(Map<String, Double> out) {
      String name = problem.objective() == Objective.REGRESSION ? "r2" : "accuracy";
      NativeTrees.Score score = run.forestScore();
      if (!Double.isNaN(score.outOfBag())) {
        out.put("oob_" + name, score.outOfBag());
      }
      if (!Double.isNaN(score.validation())) {
        out.put("validation_" + name, score.validation());
      }
    }

    private TreeModel model() {
      Map<String, Double> scores = new LinkedHashMap<>();
      measure(scores);
      return problem.model(
          TreeModel.FOREST,
          table,
          settings.seed(),
          scores,
          new double[problem.outputs()],
          trees.stream().map(tree -> DecisionTree.decode(tree, problem.outputs())).toList(),
          run.permutationImportance(trees.size(), settings.permutationSample(), settings.seed()));
    }
  }
}
