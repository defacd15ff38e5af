package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import java.nio.DoubleBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What trees are fitted to, the same on all ranks.
 *
 * @param outputs classes of {@link Objective#MULTICLASS}, 1 otherwise
 * @param hash of the settings and columns: a checkpoint of others is not taken up
 */
record TreeProblem(Objective objective, int outputs, String hash) {
  /**
   * Checks a table and the settings against each other; collective.
   *
   * @param settings text that tells them from others
   * @param asked by default classes where the target is text, and numbers otherwise
   * @throws LearningException where the tables or settings of two ranks differ
   */
  static TreeProblem of(
      Communicator ranks,
      String learner,
      String settings,
      @Nullable Objective asked,
      List<Integer> monotoneConstraints,
      Table table) {
    if (!table.hasTarget()) {
      throw new IllegalArgumentException("trees need a target to predict; name its column");
    }
    int monotone = monotoneConstraints.size();
    if (monotone != 0 && monotone != table.names().size()) {
      throw new IllegalArgumentException(
          "monotone_constraints: give one number for each of the %s features, not %s"
              .formatted(Integer.toString(table.names().size()), Integer.toString(monotone)));
    }
    Agreement.check(
        ranks,
        learner,
        settings + "\ncolumns " + table.names() + table.categories() + table.classes());
    int classes =
        table.classes().isEmpty() ? largestTarget(ranks, table) + 1 : table.classes().size();
    Objective objective = asked;
    if (objective == null) {
      objective =
          table.classes().isEmpty()
              ? Objective.REGRESSION
              : classes <= 2 ? Objective.BINARY : Objective.MULTICLASS;
    }
    return new TreeProblem(
        objective,
        objective == Objective.MULTICLASS ? Math.max(2, classes) : 1,
        Json.sha256(settings + table.names() + table.categories() + table.classes()));
  }

  private static int largestTarget(Communicator ranks, Table table) {
    DoubleBuffer target = table.target();
    double[] largest = {Double.NEGATIVE_INFINITY};
    while (target.hasRemaining()) {
      largest[0] = Math.max(largest[0], target.get());
    }
    return (int) ranks.allReduce(largest, ReduceOp.MAX)[0];
  }

  /**
   * Of a checkpoint.
   *
   * @throws LearningException if it is another problem's
   */
  void checkSame(String hashOfCheckpoint) {
    if (!hash.equals(hashOfCheckpoint)) {
      throw new LearningException(
          "The checkpoint is of other settings or columns; start without --resume.");
    }
  }

  TreeModel model(
      String learner,
      Table table,
      long seed,
      Map<String, Double> scores,
      double[] initial,
      List<DecisionTree> trees,
      double @Nullable [] permutationImportance) {
    return new TreeModel(
        new TreeModel.Document(
            TreeModel.FORMAT,
            1,
            learner,
            objective.name().toLowerCase(Locale.ROOT),
            table.names(),
            table.categories(),
            table.classes(),
            seed,
            scores,
            permutationImportance,
            initial,
            trees));
  }
}
