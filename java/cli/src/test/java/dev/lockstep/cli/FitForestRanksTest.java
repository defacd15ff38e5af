package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A random forest on ranks that are processes. */
class FitForestRanksTest extends FitRanks {
  private static final int ROWS = 800;

  @Override
  String header() {
    return TreeRows.HEADER;
  }

  @Override
  List<String> rows() {
    return TreeRows.lines(ROWS);
  }

  @Override
  String[] sections() {
    return new String[] {
      "target: price, validation_fraction: 0.2",
      "type: forest, trees: 13, min_data_in_leaf: 3, permutation_sample: 100"
    };
  }

  @Override
  String longFit() {
    return "learner.trees=150";
  }

  @Test
  void predictsTheClassesOfNearlyAllRows() throws Exception {
    List<String> lines = predictions();
    assertEquals("row,class,probability_cheap,probability_dear,probability_fair", lines.get(0));
    int right = TreeRows.right(rows(), lines);
    assertTrue(right > 0.9 * ROWS, right + " of " + ROWS);
  }

  @Test
  void theRunFolderHoldsScoresAndPlots() throws Exception {
    JsonNode summary = new JsonMapper().readTree(Files.readString(alone().resolve("summary.json")));
    assertTrue(summary.path("scores").path("oob_accuracy").asDouble() > 0.85, summary.toString());
    assertTrue(
        summary.path("scores").path("validation_accuracy").asDouble() > 0.8, summary.toString());
    assertEquals(13, Files.readAllLines(alone().resolve("metrics.jsonl")).size());
    for (String plot : List.of("score.png", "importance.png", "permutation-importance.png")) {
      assertTrue(Files.exists(alone().resolve(plot)), plot);
    }
    assertTrue(Files.notExists(alone().resolve("checkpoint.json")), "the run is over");
  }

  @ParameterizedTest
  @CsvSource({
    "learner.rounds=3, is no setting of forest",
    "learner.trees=0, trees must be at least 1",
    "learner.max_bin=300, max_bin must be from 2 to 255",
    "'learner.monotone_constraints=[1,0,0]', 'for numbers, not for classes'"
  })
  void whatIsWrongIsOneClearLine(String setting, String message) throws Exception {
    assertRefused(setting, message);
  }
}
