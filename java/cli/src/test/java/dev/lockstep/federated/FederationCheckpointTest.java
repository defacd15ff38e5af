package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.checkpoint.CheckpointException;
import dev.lockstep.federated.FederationRuns.Run;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A federation goes on from its checkpoint, and from no other. */
@Timeout(240)
class FederationCheckpointTest {
  private static final String SCAFFOLD = "federation.algorithm=scaffold";
  private static final String FEDBUFF = "federation.algorithm=fedbuff";
  private static final String SMALL_BUFFER = "federation.asynchronous={buffer: 3, concurrency: 6}";

  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "federation.algorithm=fedavg",
        "federation.personal=[layer1]",
        SCAFFOLD,
        FEDBUFF + " " + SMALL_BUFFER
      })
  void aStoppedFederationGoesOnToTheSameBytesOnAnotherNumberOfRanks(String overrides)
      throws Exception {
    String[] settings =
        overrides.contains("{")
            ? new String[] {FEDBUFF, SMALL_BUFFER, "federation.server_optimizer.type=adam"}
            : new String[] {overrides, "federation.server_optimizer.type=adam"};
    String whole = runs.run(2, settings).hash();
    Run stopped = runs.run(3, false, 3, settings);
    assertTrue(stopped.result().stopped());
    assertEquals(3, stopped.result().rounds());
    Run resumed = runs.run(2, true, Integer.MAX_VALUE, settings);
    assertEquals(3, resumed.rounds().size());
    assertEquals(whole, resumed.hash());
  }

  @Test
  void aPrivateFederationGoesOnWithTheNormThatItHadReached() throws Exception {
    String adaptive = "federation.privacy={quantile: 0.5, clip_norm: 5, noise_multiplier: 0.5}";
    Run whole = runs.run(1, adaptive);
    runs.run(1, false, 3, adaptive);
    Run resumed = runs.run(2, true, Integer.MAX_VALUE, adaptive);
    assertEquals(whole.hash(), resumed.hash());
    assertTrue(whole.result().privacy().orElseThrow().clipNorm() < 4.9);
  }

  @Test
  void aCheckpointOfOtherSettingsIsRefused() throws Exception {
    runs.run(1, false, 2);
    CheckpointException e =
        assertThrows(
            CheckpointException.class,
            () -> runs.run(1, true, Integer.MAX_VALUE, "federation.batch_size=17"));
    assertTrue(e.getMessage().contains("with other data, seed, model or settings"), e.getMessage());
  }

  @Test
  void aDamagedCheckpointIsRefused() throws Exception {
    runs.run(1, false, 2);
    byte[] content = Files.readAllBytes(runs.checkpoint());
    content[content.length / 2] ^= 1;
    Files.write(runs.checkpoint(), content);
    CheckpointException e =
        assertThrows(CheckpointException.class, () -> runs.run(1, true, Integer.MAX_VALUE));
    assertTrue(e.getMessage().contains("is damaged"), e.getMessage());
  }

  /** It holds the key of the noise. */
  @Test
  void aCheckpointIsForItsOwnersEyesOnly() throws Exception {
    runs.run(1, false, 2);
    assertEquals(
        "rw-------",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(runs.checkpoint())));
  }
}
