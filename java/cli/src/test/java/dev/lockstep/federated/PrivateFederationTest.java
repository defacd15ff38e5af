package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.privacy.ClientSampling;
import dev.lockstep.federated.privacy.RenyiAccountant;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Noise on the clients' mean, and what it is accounted for as. */
@Timeout(240)
class PrivateFederationTest {
  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  @Test
  void noiseIsAccountedForAsItsSamplerHasIt() throws Exception {
    String[] poisson = {
      "federation.privacy={noise_multiplier: 2, clip_norm: 1, delta: 0.001}",
      "federation.selection.type=poisson",
      "federation.per_round=4"
    };
    Run run = runs.run(2, poisson);
    double expected =
        RenyiAccountant.create().plus(ClientSampling.poisson(8, 4), 2, 6).bound(0.001).epsilon();
    assertEquals(expected, run.result().privacy().orElseThrow().epsilon(), 1e-12);
    assertEquals(expected, run.rounds().get(5).epsilon().orElseThrow(), 1e-12);
    assertTrue(run.rounds().get(0).epsilon().orElseThrow() < expected);
    String[] fixed = Arrays.copyOf(poisson, 2);
    fixed[1] = "federation.per_round=4";
    double ofFixed = runs.run(1, fixed).result().privacy().orElseThrow().epsilon();
    assertTrue(ofFixed > expected, ofFixed + " " + expected);
  }

  /** The mean of eight changes of length 0.01 moves the model by at most that. */
  @Test
  void clippedChangesMoveTheModelByNoMoreThanTheirNorm() throws Exception {
    Run run =
        runs.run(
            1,
            "federation.privacy={noise_multiplier: 1.0e-6, clip_norm: 0.01}",
            "federation.per_round=8");
    assertTrue(run.rounds().stream().allMatch(round -> round.changeNorm() < 0.010001));
    assertTrue(run.rounds().stream().allMatch(round -> round.changeNorm() > 0.001));
  }
}
