package dev.lockstep.learn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankThreads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KMeansTest {
  /** Rows r, r + ranks, … of 400 in four groups. */
  private static Table rows(int rank, int ranks) {
    Random random = new Random(5);
    double[] all = new double[800];
    for (int i = 0; i < 400; i++) {
      all[2 * i] = 10 * (i % 4) + random.nextGaussian();
      all[2 * i + 1] = random.nextGaussian();
    }
    double[] own = new double[(400 - rank + ranks - 1) / ranks * 2];
    for (int i = rank, at = 0; i < 400; i += ranks, at += 2) {
      own[at] = all[2 * i];
      own[at + 1] = all[2 * i + 1];
    }
    return Table.of(List.of("x", "y"), own);
  }

  private static KMeansModel fit(int size) throws Exception {
    return RankThreads.run(
            size,
            ranks -> {
              try (Table table = rows(ranks.rank(), ranks.size())) {
                return KMeans.builder(ranks).clusters(4).restarts(5).seed(2).build().fit(table);
              }
            })
        .get(0);
  }

  @Test
  void findsTheGroupsOnAnyNumberOfRanksAlike() throws Exception {
    KMeansModel alone = fit(1);
    assertEquals(alone.toJson(), fit(3).toJson());
    assertTrue(alone.silhouette() > 0.7, () -> "silhouette " + alone.silhouette());
    double[] middles = new double[4];
    for (double[] center : alone.centers()) {
      middles[(int) Math.round(center[0] / 10)] = center[0];
    }
    for (int i = 0; i < 4; i++) {
      assertEquals(10 * i, middles[i], 0.5);
    }
  }

  @Test
  void aModelReadsBackWhatItWrote(@TempDir Path folder) throws Exception {
    KMeansModel model = fit(1);
    Path file = folder.resolve("model.json");
    Files.writeString(file, model.toJson());
    LearnedModel again = LearnedModel.read(file);
    assertEquals(model.toJson(), again.toJson());
    double[] out = new double[2];
    again.predict(new double[] {20, 0}, 1, out);
    assertEquals(model.predict(new double[] {20, 0}), (int) out[0]);
    assertThrows(IllegalArgumentException.class, () -> model.predict(new double[] {20}));
  }

  @Test
  void aDamagedModelIsToldSo(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("model.json");
    String whole = fit(1).toJson();
    for (String text :
        List.of(
            "",
            "{}",
            whole.substring(0, whole.length() / 2),
            whole.replace("\"version\":1", "\"version\":9"),
            whole.replace("[\"x\",\"y\"]", "[\"x\"]"))) {
      Files.writeString(file, text);
      assertThrows(LearningException.class, () -> LearnedModel.read(file), text);
    }
  }

  @Test
  void ranksWithOtherColumnsAreToldSo() throws Exception {
    List<String> messages =
        RankThreads.run(
            2,
            ranks -> {
              List<String> names = ranks.rank() == 0 ? List.of("x", "y") : List.of("x", "z");
              try (Table table = Table.of(names, new double[] {1, 2})) {
                return assertThrows(
                        LearningException.class,
                        () -> KMeans.builder(ranks).clusters(1).build().fit(table))
                    .getMessage();
              }
            });
    assertTrue(messages.get(1).contains("[x, z]"), messages.get(1));
  }

  @Test
  void aColumnOfTextsHasNoDistance() throws Exception {
    RankThreads.run(
        1,
        ranks -> {
          try (Table table =
              Table.allocate(
                  List.of("colour"), List.of(List.of("blue", "red")), List.of(), 2, false, false)) {
            LearningException e =
                assertThrows(
                    LearningException.class,
                    () -> KMeans.builder(ranks).clusters(1).build().fit(table));
            assertTrue(e.getMessage().contains("no distance between texts"), e.getMessage());
          }
          return 0;
        });
  }

  @Test
  void theBestOfSeveralStartsIsKept() throws Exception {
    // One start of random seeds often ends with two centres in one of the four groups.
    double worst = 0;
    double best = Double.POSITIVE_INFINITY;
    for (long seed = 0; seed < 10; seed++) {
      double one = costOfRandomStarts(1, seed);
      worst = Math.max(worst, one);
      best = Math.min(best, one);
      assertTrue(costOfRandomStarts(10, seed) <= one, "the first start is one of ten");
    }
    assertTrue(worst > 2 * best, worst + " and " + best);
    assertEquals(best, costOfRandomStarts(10, 0), 0.01 * best);
  }

  private static double costOfRandomStarts(int restarts, long seed) throws Exception {
    return RankThreads.run(
            1,
            ranks -> {
              try (Table table = rows(0, 1)) {
                return KMeans.builder(ranks)
                    .clusters(4)
                    .initialization(KMeans.Initialization.RANDOM)
                    .restarts(restarts)
                    .seed(seed)
                    .build()
                    .fit(table)
                    .scores()
                    .get("cost");
              }
            })
        .get(0);
  }
}
