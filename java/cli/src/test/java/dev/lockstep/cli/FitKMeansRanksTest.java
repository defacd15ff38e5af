package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankProcesses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** k-means on ranks that are processes. */
class FitKMeansRanksTest extends FitRanks {
  @Override
  String header() {
    return "a,b,c";
  }

  @Override
  List<String> rows() {
    Random random = new Random(7);
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < 900; i++) {
      double centre = 10 * random.nextInt(4);
      rows.add(
          i % 10 == 9
              ? rows.get(i - 1)
              : String.format(
                  Locale.ROOT,
                  "%.3f,%.3f,%.3f",
                  centre + random.nextGaussian(),
                  2 * centre + random.nextGaussian(),
                  random.nextGaussian()));
    }
    return rows;
  }

  @Override
  String[] sections() {
    return new String[] {"format: csv", "type: kmeans, clusters: 9, restarts: 2"};
  }

  @Override
  String longFit() {
    return "learner.restarts=60";
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "hamerly", "yinyang"})
  void withEveryAcceleration(String acceleration) throws Exception {
    String[] arguments =
        fit(folder, "--backend", "SINGLE", "--set", "learner.acceleration=" + acceleration);
    assertEquals(ExitCode.OK, Main.execute(arguments));
    assertSameBytes();
  }

  @Test
  void theRunFolderHoldsScoresAndPlots() throws Exception {
    String summary = Files.readString(alone().resolve("summary.json"));
    for (String key :
        List.of("model_sha256", "\"cost\"", "\"silhouette\"", "\"seed\"", "\"iterate\"")) {
      assertTrue(summary.contains(key), key + " in " + summary);
    }
    assertTrue(Files.exists(alone().resolve("cost.png")));
    assertTrue(Files.notExists(alone().resolve("clusters.png")), "there are three features");
    String[] arguments = fit(folder, "--set", "data.features=[a, b]");
    assertEquals(ExitCode.OK, Main.execute(arguments));
    assertTrue(Files.exists(folder.resolve("fitted/clusters.png")));
  }

  @Test
  void miniBatchesAreTheSameOnSeveralRanks() throws Exception {
    String[] settings = {"--set", "learner.batch_share=0.3", "--set", "learner.max_iterations=20"};
    Path single = folder.resolve("single");
    assertEquals(ExitCode.OK, Main.execute(fit(single, settings)));
    try (RankProcesses ranks =
        RankProcesses.start(folder, 3, FitRank.class, fit(folder, settings))) {
      ranks.awaitSuccess(LIMIT);
    }
    assertEquals(
        Files.readString(single.resolve("fitted/model.json")),
        Files.readString(folder.resolve("fitted/model.json")));
    assertNotEquals(
        Files.readString(alone().resolve("model.json")),
        Files.readString(single.resolve("fitted/model.json")));
  }

  @Test
  void predictionsAreTheNearestCentres() throws Exception {
    List<String> lines = predictions();
    assertEquals("row,cluster,distance", lines.get(0));
    assertEquals(901, lines.size());
    // Equal rows are in one cluster.
    assertEquals(
        lines.get(9).substring(lines.get(9).indexOf(',')),
        lines.get(10).substring(lines.get(10).indexOf(',')));
  }

  @ParameterizedTest
  @CsvSource({
    "learner.rouns=3, unknown key",
    "learner.clusters=0, clusters must be at least 1",
    "data.path=/nowhere.csv, does not exist",
    "'data.features=[a, d]', no column d"
  })
  void whatIsWrongIsOneClearLine(String setting, String message) throws Exception {
    assertRefused(setting, message);
  }
}
