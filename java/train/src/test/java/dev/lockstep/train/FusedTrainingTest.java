package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.comm.BackendUnavailableException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.CommunicatorConfig.Choice;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.train.strategy.DataParallel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks of one host that share their parameters. */
@Timeout(180)
class FusedTrainingTest {
  private static final Duration LIMIT = Duration.ofSeconds(80);

  @TempDir Path folder;

  /** Trains plans with and without sharing, into folders of {@code arguments[0]}. */
  static final class Rank {
    public static void main(String[] arguments) {
      CommunicatorConfig config = new CommunicatorConfig(Choice.SHARED_MEMORY, 30.0);
      Path into = Path.of(arguments[0]);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        List<OptimizerConfig> optimizers = List.of(Runs.SGD, Runs.MOMENTUM, Runs.ADAM);
        for (int i = 0; i < optimizers.size(); i++) {
          both(Runs.Plan.of(2, optimizers.get(i)), ranks, into, "optimizer" + i);
        }
        TrainingConfig clipped = TrainingConfig.of(2, 30, null, 0.1, null, null, null);
        both(Runs.Plan.of(2, Runs.ADAM).training(clipped), ranks, into, "clipped");
        // The first scale overflows, so that steps are left out.
        PrecisionConfig fp16 = PrecisionConfig.of("fp16").withScale(1 << 24, 4);
        TrainingConfig plain = Runs.Plan.of(2, Runs.ADAM).training();
        both(Runs.Plan.of(2, Runs.ADAM).training(plain.withPrecision(fp16)), ranks, into, "fp16");
        both(
            Runs.Plan.of(2, Runs.SGD).training(plain.withBatch(BatchConfig.adaptive(4, 64))),
            ranks,
            into,
            "growing");
        // What was saved with shared parameters goes on with them.
        Runs.Plan longer = Runs.Plan.of(4, Runs.ADAM);
        train(longer, true, ranks, into.resolve("optimizer2fused"));
        train(longer, false, ranks, into.resolve("straight"));
      }
    }

    private static void both(Runs.Plan plan, Communicator ranks, Path into, String name) {
      train(plan, true, ranks, into.resolve(name + "fused"));
      train(plan, false, ranks, into.resolve(name + "apart"));
    }

    private static void train(Runs.Plan plan, boolean fused, Communicator ranks, Path into) {
      // One bucket: as many addends in the same order.
      StrategyConfig strategy = StrategyConfig.of(DataParallel.Options.defaults().withFused(fused));
      Runs.train(plan.strategy(strategy), ArrayDataset.smooth(302), ranks, into, true);
    }
  }

  /** One rank alone, whose batches grow. */
  static final class Alone {
    public static void main(String[] arguments) {
      CommunicatorConfig config = new CommunicatorConfig(Choice.SHARED_MEMORY, 30.0);
      Runs.Plan plan = Runs.Plan.of(1, Runs.SGD);
      TrainingConfig growing = plan.training().withBatch(BatchConfig.adaptive(4, 64));
      try (Communicator alone = Communicator.fromEnvironment(config)) {
        Rank.both(plan.training(growing), alone, Path.of(arguments[0]), "alone");
      }
    }
  }

  @Test
  void aRankAloneMeasuresItsFirstPieces() throws Exception {
    try (RankProcesses ranks = RankProcesses.start(folder, 1, Alone.class, folder.toString())) {
      ranks.awaitSuccess(LIMIT);
    }
    JsonNode fused = batchPlan("alonefused");
    assertTrue(fused.path("measured").asInt() > 0, fused.toString());
    JsonNode apart = batchPlan("aloneapart");
    assertEquals(apart.path("size"), fused.path("size"));
    double variance = apart.path("variance").asDouble();
    assertEquals(variance, fused.path("variance").asDouble(), 1e-4 * variance);
  }

  private JsonNode batchPlan(String run) {
    Progress progress = Progress.fromJson(Runs.checkpoint(folder.resolve(run)).state());
    return progress.parts().path("batch_plan");
  }

  /** Asks for shared parameters where there is no shared memory. */
  static final class TcpRank {
    public static void main(String[] arguments) {
      CommunicatorConfig config = new CommunicatorConfig(Choice.TCP, 30.0);
      StrategyConfig fused = StrategyConfig.of(DataParallel.Options.defaults().withFused(true));
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        Runs.Plan plan = Runs.Plan.of(1, Runs.SGD).strategy(fused);
        Runs.train(plan, ArrayDataset.smooth(302), ranks, Path.of(arguments[0]), false);
      } catch (BackendUnavailableException e) {
        System.out.println("refused: " + e.getMessage());
      }
    }
  }

  @Test
  void sharedParametersGetTheSameBits() throws Exception {
    try (RankProcesses ranks = RankProcesses.start(folder, 3, Rank.class, folder.toString())) {
      ranks.awaitSuccess(LIMIT);
    }
    for (String name : List.of("optimizer0", "optimizer1", "clipped", "fp16", "growing")) {
      Path fused = folder.resolve(name + "fused");
      Path apart = folder.resolve(name + "apart");
      assertEquals(0, Runs.difference(fused, apart), name);
      Progress progress = Progress.fromJson(Runs.checkpoint(fused).state());
      assertEquals(Progress.fromJson(Runs.checkpoint(apart).state()).parts(), progress.parts());
      assertEquals(name.equals("fp16"), progress.skipped().steps() > 0, name);
    }
    Path resumed = folder.resolve("optimizer2fused");
    assertEquals(0, Runs.difference(resumed, folder.resolve("straight")), "Adam, resumed");
    double moved = Runs.difference(resumed, folder.resolve("optimizer2apart"));
    assertTrue(moved > 0, "two epochs more have changed something");
  }

  @Test
  void withoutSharedMemoryTheUserIsTold() throws Exception {
    try (RankProcesses ranks = RankProcesses.start(folder, 2, TcpRank.class, folder.toString())) {
      ranks.awaitSuccess(LIMIT);
      assertTrue(
          ranks.output(0).contains("refused: The 2 ranks of this group (tcp) do not"),
          ranks.output(0));
    }
  }
}
