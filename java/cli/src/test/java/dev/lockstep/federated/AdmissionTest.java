package dev.lockstep.federated;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.network.RefusedException;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who may join a server, and servers that cannot begin. */
@Timeout(240)
class AdmissionTest {
  private static final int LAST = 7;
  private static final String EVERYBODY = "federation.per_round=8";

  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  @Test
  void aClientWithMoreSamplesThanCanBeCountedIsRefused() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(runs, folder, EVERYBODY, "federation.local_epochs=1000")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      RefusedException e =
          assertThrows(
              RefusedException.class, () -> network.joinByHand(LAST, Integer.MAX_VALUE).close());
      assertTrue(e.getMessage().contains("more than can be counted"), e.getMessage());
      server.cancel(true);
    }
  }

  /** Poisson's coins may fall for all, of whom 64 bits would not hold the sum. */
  @Test
  void samplesThatAllTogetherCannotBeCountedAreRefusedWhereAllMayBeDrawn() throws Exception {
    String secure =
        "federation.privacy={noise_multiplier: 0, secure_aggregation: {minimum: 3, range: 600}}";
    try (NetworkRuns network =
        new NetworkRuns(
            runs, folder, secure, "federation.per_round=3", "federation.selection.type=poisson")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      RefusedException e =
          assertThrows(
              RefusedException.class, () -> network.joinByHand(LAST, Integer.MAX_VALUE).close());
      assertTrue(e.getMessage().contains("more than can be counted"), e.getMessage());
      server.cancel(true);
    }
  }

  @Test
  void aServerDoesNotWaitForClientsWithLayersThatNoModelHas() throws Exception {
    try (NetworkRuns network =
        new NetworkRuns(runs, folder, EVERYBODY, "federation.personal=[head]")) {
      Future<Run> server = network.serve(false, FederationListener.none());
      ExecutionException e = assertThrows(ExecutionException.class, () -> server.get(100, SECONDS));
      assertTrue(e.getCause() instanceof ConfigKeyException, e.toString());
    }
  }

  @Test
  void aServerWhoseNameNobodyKnowsSaysSo() {
    FederateConfig config =
        runs.config(EVERYBODY, "federation.network.address=no-such-host.invalid:29700");
    try (Dataset dataset = DataFiles.open(config.data())) {
      CommunicationException e =
          assertThrows(
              CommunicationException.class,
              () ->
                  new ClientSessions(
                      config.plan(), dataset, NetworkRuns.TOKEN, 1, new byte[0], () -> false));
      assertTrue(e.getMessage().contains("there is no host no-such-host.invalid"), e.getMessage());
    }
  }
}
