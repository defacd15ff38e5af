package dev.lockstep.learn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.testing.RankThreads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TreesTest {
  private static final int ROWS = 500;

  private interface Fit {
    TreeModel fit(Communicator ranks, Table table);
  }

  /** Rows r, r + ranks, …: the second of three columns makes the target, with noise of 0.1. */
  private static Table rows(Communicator ranks) {
    Random random = new Random(5);
    List<Double> values = new ArrayList<>();
    List<Double> target = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      double[] row = {random.nextDouble(), random.nextDouble(), random.nextDouble()};
      double y = Math.floor(4 * row[1]) + 0.1 * random.nextGaussian();
      if (i % ranks.size() == ranks.rank()) {
        for (double value : row) {
          values.add(value);
        }
        target.add(y);
      }
    }
    return Table.of(
        List.of("a", "b", "c"),
        values.stream().mapToDouble(Double::doubleValue).toArray(),
        target.stream().mapToDouble(Double::doubleValue).toArray());
  }

  private static TreeModel on(int size, Fit fit) throws Exception {
    return RankThreads.run(
            size,
            ranks -> {
              try (Table table = rows(ranks)) {
                return fit.fit(ranks, table);
              }
            })
        .get(0);
  }

  private static TreeModel forest(Communicator ranks, Table table) {
    return Forest.builder(ranks).trees(20).seed(4).permutationSample(200).build().fit(table);
  }

  private static TreeModel boosting(Communicator ranks, Table table) {
    return Boosting.builder(ranks).rounds(20).seed(4).permutationSample(200).build().fit(table);
  }

  @Test
  void aForestIsTheSameOnAnyNumberOfRanksAndFindsWhatMatters() throws Exception {
    assertFindsWhatMatters(TreesTest::forest);
  }

  @Test
  void boostingIsTheSameOnAnyNumberOfRanksAndFindsWhatMatters() throws Exception {
    assertFindsWhatMatters(TreesTest::boosting);
  }

  private static void assertFindsWhatMatters(Fit fit) throws Exception {
    TreeModel alone = on(1, fit);
    assertEquals(alone.toJson(), on(3, fit).toJson());
    for (double[] row : new double[][] {{0.5, 0.1, 0.5}, {0.5, 0.6, 0.5}, {0.1, 0.9, 0.2}}) {
      double[] out = new double[1];
      alone.predict(row, 1, out);
      assertEquals(Math.floor(4 * row[1]), out[0], 0.3);
    }
    // In a forest a node may have to split by what does not matter.
    assertTrue(alone.importance().get("b") > 0.8, () -> "gain " + alone.importance());
    Map<String, Double> falls = alone.permutationImportance();
    // R² of shuffled predictions is about −1: they vary nearly as much as the target,
    // independently.
    assertTrue(falls.get("b") > 1.3 && falls.get("b") < 2.3, falls::toString);
    assertTrue(Math.abs(falls.get("a")) < 0.1 && Math.abs(falls.get("c")) < 0.1, falls::toString);
  }

  @Test
  void aModelReadsBackWhatItWroteAndPredictsTheSame(@TempDir Path folder) throws Exception {
    TreeModel forest = on(1, TreesTest::forest);
    Path file = folder.resolve("model.json");
    Files.writeString(file, forest.toJson());
    LearnedModel read = LearnedModel.read(file);
    assertEquals(forest.toJson(), read.toJson());
    double[] first = new double[1];
    double[] second = new double[1];
    forest.predict(new double[] {0.2, 0.7, Double.NaN}, 1, first);
    read.predict(new double[] {0.2, 0.7, Double.NaN}, 1, second);
    assertEquals(first[0], second[0]);
  }

  @Test
  void aRowIsPredictedAsInABlock() throws Exception {
    for (Fit fit : List.<Fit>of(TreesTest::forest, TreesTest::boosting)) {
      TreeModel model = on(1, fit);
      double[] block = {0.2, 0.7, 0.1, 0.9, Double.NaN, 0.4};
      double[] out = new double[2];
      model.predict(block, 2, out);
      assertEquals(out[0], model.predict(new double[] {0.2, 0.7, 0.1})[0]);
      assertEquals(out[1], model.predict(new double[] {0.9, Double.NaN, 0.4})[0]);
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> model.predict(new double[] {1}));
      assertEquals("row: must have 3 values, not 1", e.getMessage());
    }
  }

  @Test
  void aDamagedModelIsRefused(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("model.json");
    String whole = on(1, TreesTest::forest).toJson();
    for (String damaged :
        List.of(
            whole.replace("\"forest\"", "\"wood\""),
            whole.replace("\"regression\"", "\"regresion\""),
            whole.replaceFirst("\"values\":\\[[^,]*,", "\"values\":["),
            whole.substring(0, whole.length() / 2))) {
      Files.writeString(file, damaged);
      assertThrows(LearningException.class, () -> LearnedModel.read(file));
    }
  }

  /** Stops after some steps with a checkpoint, then goes on from it. */
  private static final class Interruption implements FitListener {
    private final int after;
    private int steps;
    private String state = "";

    Interruption(int after) {
      this.after = after;
    }

    @Override
    public void step(int step, int most, Map<String, Double> values) {
      steps++;
    }

    @Override
    public boolean stopRequested() {
      return steps == after;
    }

    @Override
    public void checkpoint(int step, String text) {
      state = text;
    }

    @Override
    public Optional<String> resumeFrom() {
      return state.isEmpty() ? Optional.empty() : Optional.of(state);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 9, 10})
  void resumingAtAnyPointLeadsToTheSameBytes(int after) throws Exception {
    TreeModel forest = on(1, (ranks, table) -> Forest.builder(ranks).trees(10).build().fit(table));
    TreeModel boosted =
        on(1, (ranks, table) -> Boosting.builder(ranks).rounds(10).build().fit(table));
    Interruption ofForest = new Interruption(after);
    Interruption ofBoosting = new Interruption(after);
    Fit interrupted =
        (ranks, table) -> Forest.builder(ranks).trees(10).listener(ofForest).build().fit(table);
    Fit boosting =
        (ranks, table) ->
            Boosting.builder(ranks).rounds(10).listener(ofBoosting).build().fit(table);
    assertThrows(Exception.class, () -> on(1, interrupted));
    assertThrows(Exception.class, () -> on(1, boosting));
    assertEquals(forest.toJson(), on(1, interrupted).toJson());
    assertEquals(boosted.toJson(), on(1, boosting).toJson());
  }

  @Test
  void boostingStopsWhereTheHeldOutLossHasNotFallenForSoManyRounds() throws Exception {
    Fit early =
        (ranks, table) ->
            Boosting.builder(ranks)
                .rounds(400)
                .learningRate(0.5)
                .validationFraction(0.3)
                .earlyStoppingRound(5)
                .build()
                .fit(table);
    List<Double> losses = new ArrayList<>();
    Fit whole =
        (ranks, table) ->
            Boosting.builder(ranks)
                .rounds(60)
                .learningRate(0.5)
                .validationFraction(0.3)
                .listener(
                    new FitListener() {
                      @Override
                      public void step(int step, int most, Map<String, Double> values) {
                        losses.add(values.get("validation_loss"));
                      }
                    })
                .build()
                .fit(table);
    on(1, whole);
    int best = 0;
    for (int i = 1; i < losses.size() && i - best < 6; i++) {
      best = losses.get(i) < losses.get(best) ? i : best;
    }
    assertEquals(best + 1, on(1, early).trees());
  }

  @Test
  void settingsThatCannotBeRightAreNamed() throws Exception {
    RankThreads.run(
        1,
        ranks -> {
          IllegalArgumentException e =
              assertThrows(
                  IllegalArgumentException.class, () -> Forest.builder(ranks).trees(0).build());
          assertTrue(e.getMessage().contains("trees must be at least 1"), e.getMessage());
          e =
              assertThrows(
                  IllegalArgumentException.class,
                  () -> Forest.builder(ranks).featureFractionBynode(1.5).build());
          assertTrue(e.getMessage().contains("feature_fraction_bynode"), e.getMessage());
          return 0;
        });
  }
}
