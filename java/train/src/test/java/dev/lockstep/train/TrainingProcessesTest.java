package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.monitor.TrainingEvent;
import dev.lockstep.monitor.TrainingEvent.EpochDone;
import dev.lockstep.monitor.TrainingEvent.Started;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankProcesses;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Training on ranks that are processes, one of which is killed. */
@Timeout(180)
class TrainingProcessesTest {
  private static final Duration LIMIT = Duration.ofSeconds(80);

  @TempDir Path folder;

  /**
   * Trains {@code arguments[1]} epochs into {@code arguments[0]} with the strategy {@code
   * arguments[2]}, resuming if it can. Rank 2 is gone after step {@code arguments[3]}, if given.
   */
  static final class TrainingRank {
    public static void main(String[] arguments) {
      CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.AUTO, 30.0);
      Runs.Plan plan =
          Runs.Plan.of(Integer.parseInt(arguments[1]), Runs.SGD).strategy(strategy(arguments[2]));
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        TrainingListener recorder =
            ranks.rank() == 0 ? TrainingProcessesTest::print : TrainingListener.none();
        if (arguments.length > 3 && ranks.rank() == 2) {
          long last = Long.parseLong(arguments[3]);
          recorder =
              event -> {
                if (event instanceof StepDone done && done.steps() == last) {
                  Runtime.getRuntime().halt(9);
                }
              };
        }
        Runs.job(plan, ArrayDataset.smooth(302), ranks, recorder, Path.of(arguments[0])).run(true);
      } catch (CommunicationException e) {
        System.out.println(
            e.getClass().getSimpleName() + " rank=" + e.rank() + ": " + e.getMessage());
        System.exit(3);
      }
    }
  }

  private static StrategyConfig strategy(String yaml) {
    try {
      return StrategyConfig.fromJson((ObjectNode) new YAMLMapper().readTree(yaml));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(yaml, e);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{type: data_parallel}",
        "{type: data_parallel, sharding: 1}",
        "{type: diloco, every: 4, fragments: 2, delay: 1}",
        "{type: parameter_server}",
        "{type: pipeline}"
      })
  void aKilledRankIsNamedAndTheRunIsResumed(String strategy) throws Exception {
    Path run = folder.resolve("run");
    try (RankProcesses ranks = start(run, 100_000, strategy)) {
      // The checkpoint of epoch 3 began after the one of epoch 2 was whole; it may be under way.
      ranks.awaitOutput(0, "epoch 4 is over", LIMIT);
      ranks.process(1).destroyForcibly();
      for (int survivor : new int[] {0, 2}) {
        assertEquals(3, ranks.await(survivor, LIMIT), ranks.output(survivor));
        assertTrue(
            ranks.output(survivor).contains("PeerFailedException rank=1"), ranks.output(survivor));
      }
    }
    long steps = Runs.checkpoint(run).step();
    assertTrue(steps >= 18 && steps % 9 == 0, "the last checkpoint is of step " + steps);
    int epochs = (int) (steps / 9) + 2;
    try (RankProcesses ranks = start(run, epochs, strategy)) {
      ranks.awaitSuccess(LIMIT);
      assertTrue(ranks.output(0).contains("begins with epoch " + (epochs - 1)), ranks.output(0));
    }
    assertEquals(9L * epochs, Runs.checkpoint(run).step());
  }

  @Test
  void theOthersGoOnWithoutAWorkerWhereServersAreDedicated() throws Exception {
    Path run = folder.resolve("run");
    String strategy = "{type: parameter_server, servers: 1, staleness: 2}";
    try (RankProcesses ranks =
        RankProcesses.start(folder, 3, TrainingRank.class, run.toString(), "8", strategy, "40")) {
      for (int survivor : new int[] {0, 1}) {
        assertEquals(0, ranks.await(survivor, LIMIT), ranks.output(survivor));
      }
      assertEquals(9, ranks.await(2, LIMIT));
      assertTrue(ranks.output(0).contains("epoch 8 is over"), ranks.output(0));
    }
    assertEquals(8 * 9, Runs.checkpoint(run).step());
  }

  private RankProcesses start(Path run, int epochs, String strategy) throws Exception {
    return RankProcesses.start(
        folder, 3, TrainingRank.class, run.toString(), Integer.toString(epochs), strategy);
  }

  private static void print(TrainingEvent event) {
    if (event instanceof Started started) {
      System.out.println("begins with epoch " + started.run().firstEpoch());
    } else if (event instanceof EpochDone done) {
      System.out.println("epoch " + done.epoch().epoch() + " is over");
    }
  }
}
