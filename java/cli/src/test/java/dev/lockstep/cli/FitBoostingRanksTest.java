package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Boosting on ranks that are processes. */
class FitBoostingRanksTest extends FitRanks {
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
      "type: boosting, rounds: 15, num_leaves: 8, bagging_fraction: 0.7, permutation_sample: 100"
    };
  }

  @Override
  String longFit() {
    return "learner.rounds=150";
  }

  @Test
  void predictsTheClassesOfNearlyAllRows() throws Exception {
    List<String> lines = predictions();
    assertEquals("row,class,probability_cheap,probability_dear,probability_fair", lines.get(0));
    int right = TreeRows.right(rows(), lines);
    // A tenth of the sizes is missing, and colour alone tells little.
    assertTrue(right > 0.9 * ROWS, right + " of " + ROWS);
  }

  @Test
  void theRunFolderHoldsLossesAndPlots() throws Exception {
    assertEquals(15, Files.readAllLines(alone().resolve("metrics.jsonl")).size());
    assertTrue(Files.readString(alone().resolve("metrics.jsonl")).contains("\"validation_loss\""));
    for (String plot : List.of("loss.png", "importance.png", "permutation-importance.png")) {
      assertTrue(Files.exists(alone().resolve(plot)), plot);
    }
    assertTrue(Files.readString(alone().resolve("summary.json")).contains("\"model_sha256\""));
    assertTrue(Files.notExists(alone().resolve("checkpoint.json")), "the run is over");
  }

  @ParameterizedTest
  @CsvSource({
    "learner.clusters=3, is no setting of boosting",
    "learner.num_leaves=1, num_leaves must be from 2",
    "learner.objective=regresion, must be one of",
    "data.target=prize, no column prize",
    "'learner.monotone_constraints=[1]', one number for each of the 3 features"
  })
  void whatIsWrongIsOneClearLine(String setting, String message) throws Exception {
    assertRefused(setting, message);
  }
}
