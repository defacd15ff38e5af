package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.federated.FederationRuns.Run;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Simulated clients that misbehave, and what rules make of them. */
@Timeout(240)
class FaultyClientsTest {
  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  @Test
  void aClientOfNanIsLeftOutAndNamedInTheCount() throws Exception {
    Run run = runs.run(2, "federation.attack.type=nan", "federation.per_round=8");
    assertTrue(run.rounds().stream().allMatch(round -> round.rejected() == 1));
    assertTrue(run.accuracy() > 0.6, run.rounds().toString());
  }

  @Test
  void theMedianBearsWhatTheMeanDoesNot() throws Exception {
    String[] flips = {
      "federation.attack={type: sign_flip, scale: 10, clients: 2}",
      "federation.per_round=8",
      "federation.rounds=20",
      "federation.partition={type: iid}"
    };
    String[] median = Arrays.copyOf(flips, 5);
    median[4] = "federation.aggregation.rule=median";
    double ofMean = runs.run(1, flips).accuracy();
    double ofMedian = runs.run(1, median).accuracy();
    assertTrue(ofMedian > 0.85, "median " + ofMedian);
    assertTrue(ofMean < ofMedian - 0.1, "mean " + ofMean + ", median " + ofMedian);
  }

  @Test
  void tooFewAnswersForTheFaultyOnesLeaveTheModelAsItWas() throws Exception {
    Run run =
        runs.run(1, "federation.aggregation={rule: krum, faulty: 2}", "federation.per_round=6");
    assertTrue(run.rounds().stream().allMatch(round -> round.changeNorm() == 0));
  }
}
