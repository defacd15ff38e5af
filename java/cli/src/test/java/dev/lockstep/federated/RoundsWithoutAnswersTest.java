package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.federated.FederationRuns.Run;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.ServerConnection;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A round of which nothing can be used leaves the model as it is: the server's optimiser, which
 * remembers earlier rounds, takes no step.
 */
@Timeout(240)
class RoundsWithoutAnswersTest {
  @TempDir Path folder;
  private FederationRuns runs;

  @BeforeEach
  void writeData() throws Exception {
    runs = new FederationRuns(folder);
  }

  private static String[] with(String overrides, String... more) {
    return FederationRuns.joined(overrides.split(" "), more);
  }

  /** Whether the model stood still in every round without an answer, of which there are some. */
  private static void assertStillWithoutAnswers(Run run) {
    List<RoundReport> rounds = run.rounds();
    int still = 0;
    for (int i = 1; i < rounds.size(); i++) {
      RoundReport round = rounds.get(i);
      double before = rounds.get(i - 1).loss();
      if (round.answered() - round.rejected() == 0) {
        assertEquals(before, round.loss(), "round " + round.round());
        assertEquals(0, round.changeNorm());
        still += rounds.subList(0, i).stream().anyMatch(r -> r.answered() > 0) ? 1 : 0;
      } else {
        assertNotEquals(before, round.loss(), "round " + round.round());
      }
    }
    assertTrue(still >= 2, rounds.toString());
  }

  /** Poisson's coins fall for one of eight clients on average, and often for none. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "federation.server_optimizer.type=average",
        "federation.server_optimizer.type=momentum",
        "federation.server_optimizer.type=adagrad",
        "federation.server_optimizer.type=adam",
        "federation.server_optimizer.type=adam federation.server_optimizer.correct_bias=true",
        "federation.server_optimizer.type=yogi",
        "federation.server_optimizer.type=momentum federation.algorithm=scaffold",
        "federation.server_optimizer.type=momentum federation.algorithm=fednova"
      })
  void aSimulatedRoundForWhichNobodyIsDrawnLeavesTheModel(String overrides) throws Exception {
    assertStillWithoutAnswers(
        runs.run(
            2,
            with(
                overrides,
                "federation.selection.type=poisson",
                "federation.per_round=1",
                "federation.rounds=14",
                "federation.evaluate_every=1")));
  }

  @Test
  void aSimulatedRoundInWhichAllAreLateLeavesTheModel() throws Exception {
    assertStillWithoutAnswers(
        runs.run(
            1,
            "federation.server_optimizer.type=adam",
            "federation.per_round=2",
            "federation.latency={median: 1, spread: 1, deadline: 0.7}",
            "federation.rounds=14",
            "federation.evaluate_every=1"));
  }

  /** Krum with one faulty client needs five changes. */
  @Test
  void aRuleThatHasTooFewChangesLeavesTheModel() throws Exception {
    Run run =
        runs.run(
            1,
            "federation.server_optimizer.type=momentum",
            "federation.aggregation={rule: krum, faulty: 1}",
            "federation.selection.type=poisson",
            "federation.per_round=5",
            "federation.rounds=10",
            "federation.evaluate_every=1");
    int still = 0;
    for (int i = 1; i < run.rounds().size(); i++) {
      if (run.rounds().get(i).answered() < 5) {
        assertEquals(run.rounds().get(i - 1).loss(), run.rounds().get(i).loss(), "round " + i);
        still++;
      }
    }
    assertTrue(still >= 1 && still <= 8, run.rounds().toString());
  }

  /** Kingma and Ba's t counts steps: a round without one must not make the next one shorter. */
  @Test
  void aStoppedFederationGoesOnWithTheStepsThatItHasTaken() throws Exception {
    String[] settings =
        with(
            "federation.server_optimizer.type=adam federation.server_optimizer.correct_bias=true",
            "federation.selection.type=poisson",
            "federation.per_round=1",
            "federation.rounds=12");
    String whole = runs.run(1, settings).hash();
    runs.run(1, false, 8, settings);
    assertEquals(whole, runs.run(1, true, Integer.MAX_VALUE, settings).hash());
  }

  /** The model, and SCAFFOLD's correction, go out in the next round as they did in this one. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "federation.server_optimizer.type=average",
        "federation.server_optimizer.type=momentum",
        "federation.server_optimizer.type=adam",
        "federation.server_optimizer.type=yogi",
        "federation.server_optimizer.type=momentum federation.algorithm=scaffold",
        "federation.server_optimizer.type=momentum federation.algorithm=fednova"
      })
  void aRoundInWhichNoClientCanAnswerLeavesTheServersModel(String overrides) throws Exception {
    String[] settings =
        with(
            overrides,
            "federation.clients=1",
            "federation.per_round=1",
            "federation.rounds=3",
            "federation.partition={type: iid}");
    try (NetworkRuns network = new NetworkRuns(runs, folder, settings)) {
      Future<Run> server = network.serve(false, FederationListener.none());
      try (ServerConnection client = network.joinByHand(0)) {
        Frame first = client.receive(ClientMessages.MOST_BYTES);
        int numbers = ClientMessages.numbers(first);
        numbers /= overrides.contains("scaffold") ? 2 : 1; // half of it is the correction
        client.send(Protocol.TRAINED, ClientMessages.trained(0, numbers, 0.25f));
        Frame second = client.receive(ClientMessages.MOST_BYTES);
        assertNotEquals(ClientMessages.model(first), ClientMessages.model(second));
        client.send(Protocol.UNABLE, ClientMessages.unable(1, "no power"));
        Frame third = client.receive(ClientMessages.MOST_BYTES);
        ByteBuffer model = ClientMessages.model(third);
        assertEquals(2, ClientMessages.round(third));
        assertEquals(ClientMessages.model(second), model);
        client.send(Protocol.UNABLE, ClientMessages.unable(2, "no power"));
        ByteBuffer end = client.receive(ClientMessages.MOST_BYTES).body();
        client.send(Protocol.ENDED);
        assertEquals(model.limit(numbers * Float.BYTES), end);
      }
      assertEquals(3, network.end(server).rounds().size());
      assertEquals(2, network.logged("there is no answer that could be used"));
    }
  }
}
