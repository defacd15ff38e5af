package dev.lockstep.federated;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.config.ConfigException;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.network.ServerConnection;
import dev.lockstep.federated.privacy.CanaryAudit;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(240)
class SecureFederationTest {
  private static final String SECURE =
      "federation.privacy={noise_multiplier: 0, secure_aggregation: {}}";
  private static final String NOISE = "federation.privacy={noise_multiplier: 0.8, quantile: 0.5";
  private static final int[] ALL = {0, 1, 2, 3, 4, 5, 6, 7};

  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  @Test
  void theSumOfHiddenChangesGivesTheSameModelOnAnyNumberOfRanksAndOverANetwork() throws Exception {
    Run alone = runs.run(1, SECURE);
    assertEquals(alone.hash(), runs.run(3, SECURE).hash());
    try (NetworkRuns network = new NetworkRuns(runs, folder, SECURE)) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(ALL);
      assertEquals(alone.hash(), network.end(server).hash());
    }
    // Steps of 2^-20 apart from the changes themselves.
    Run plain = runs.run(1);
    assertNotEquals(plain.hash(), alone.hash());
    assertEquals(
        plain.result().last().orElseThrow().loss(),
        alone.result().last().orElseThrow().loss(),
        1e-4);
  }

  /** Both add up the same integers, and add the same noise. */
  @Test
  void withNoiseHidingChangesNothingAtAll() throws Exception {
    String hidden = runs.run(2, NOISE + ", secure_aggregation: {}}").hash();
    assertEquals(runs.run(2, NOISE + "}").hash(), hidden);
  }

  @Test
  void aClientThatIsLostBetweenTrainingAndUnmaskingIsNotInTheSum() throws Exception {
    String[] settings = {
      SECURE, "federation.per_round=8", "federation.rounds=1", "federation.network.deadline=4"
    };
    String expected = withOne(settings, Protocol.UNABLE, "client 7 cannot: train");
    String lost = withOne(settings, Protocol.TRAINED, "client 7 has not answered");
    assertEquals(expected, lost);
  }

  private String withOne(String[] settings, int kind, String line) throws Exception {
    try (NetworkRuns network = new NetworkRuns(runs, folder, settings)) {
      Future<Run> server = network.serve(false, FederationListener.none());
      network.join(0, 1, 2, 3, 4, 5, 6);
      try (ServerConnection connection = network.joinByHand(7)) {
        connection.receive(1 << 20);
        ByteBuffer body = ByteBuffer.allocate(13).putInt(0);
        if (kind == Protocol.TRAINED) {
          body.putDouble(0.5).put((byte) 1);
        } else {
          body.put("train".getBytes(UTF_8));
        }
        connection.send(kind, body.flip());
        NetworkRuns.stayToTheEnd(connection);
        Run run = network.end(server);
        assertTrue(run.rounds().get(0).changeNorm() > 0, run.rounds().toString());
        assertEquals(1, network.logged(line));
        return run.hash();
      }
    }
  }

  @Test
  void aRoundWithFewerThanTheMinimumLeavesTheModelAsItWas() throws Exception {
    Run run =
        runs.run(
            1,
            "federation.privacy={noise_multiplier: 0, secure_aggregation: {minimum: 6}}",
            "federation.per_round=5");
    assertTrue(run.rounds().stream().allMatch(round -> round.changeNorm() == 0));
  }

  @Test
  void aChangeThatTheRangeDoesNotHoldIsLeftOut() throws Exception {
    Run run =
        runs.run(
            1, "federation.privacy={noise_multiplier: 0, secure_aggregation: {range: 1.0e-6}}");
    assertTrue(run.rounds().stream().allMatch(round -> round.rejected() == 5));
  }

  @Test
  void aSumThatNoModulusHoldsIsRefusedWithTheBitsThatItNeeds() {
    ConfigKeyException e =
        assertThrows(
            ConfigKeyException.class,
            () ->
                runs.run(
                    1,
                    "federation.privacy={noise_multiplier: 0, secure_aggregation: {fraction_bits:"
                        + " 40, range: 32768}}"));
    assertTrue(e.getMessage().contains("needs a modulus of 6"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "federation.privacy.noise_multiplier=0",
        "federation.privacy={noise_multiplier: 0, secure_aggregation: {}, canaries: 4}",
        "federation.privacy={secure_aggregation: {threshold: 0.5}}",
        "federation.privacy={secure_aggregation: {minimum: 2}}",
        "federation.privacy.canaries=-1"
      })
  void whatDoesNotFitTogetherIsRefused(String override) {
    ConfigException e = assertThrows(ConfigException.class, () -> runs.config(override));
    assertTrue(e.getMessage().contains("privacy"), e.getMessage());
  }

  @Test
  void robustRulesAreRefusedForTheyLookAtSingleChanges() {
    ConfigException e =
        assertThrows(
            ConfigException.class, () -> runs.config(SECURE, "federation.aggregation.rule=krum"));
    assertTrue(e.getMessage().contains("must be mean or norm_bound"), e.getMessage());
  }

  @Test
  void anAuditTellsWhatCanariesFound() throws Exception {
    Run run =
        runs.run(
            1,
            "federation.privacy={noise_multiplier: 0.5, clip_norm: 0.5, delta: 0.01, canaries: 8}",
            "federation.per_round=8");
    CanaryAudit.Result audit = run.result().audit().orElseThrow();
    assertEquals(8, audit.canaries());
    assertEquals(4, audit.guesses());
    assertTrue(audit.epsilon() <= run.result().privacy().orElseThrow().epsilon());
  }
}
