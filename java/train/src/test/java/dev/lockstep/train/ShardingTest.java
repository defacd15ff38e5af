package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.checkpoint.StoredTensor;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.TcpOptions;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.strategy.DataParallel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Optimiser state in slices gives what whole state gives, and either goes on from the other. */
@Timeout(120)
class ShardingTest {
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  private static Runs.Plan plan(int epochs, int sharding) {
    return Runs.Plan.of(epochs, Runs.ADAM)
        .strategy(
            StrategyConfig.of(
                new DataParallel.Options(0.0005, 0.001, sharding == 0 ? false : null)
                    .withSharding(sharding)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void modelAndMomentsHaveTheBytesOfUnshardedTraining(int ranks) throws Exception {
    Path whole = folder.resolve("whole");
    train(ranks, plan(2, 0), whole, false);
    for (int stage = 1; stage <= 3; stage++) {
      Path sharded = folder.resolve("sharded-" + stage);
      train(ranks, plan(2, stage), sharded, false);
      assertSameBytes(whole, sharded);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void whatFourRanksHaveSavedGoesOnWithFewerToTheBytesOfUnshardedTraining(int ranks)
      throws Exception {
    Path whole = folder.resolve("whole");
    train(4, plan(1, 0), whole, false);
    train(ranks, plan(2, 0), whole, true);
    for (int stage = 2; stage <= 3; stage++) {
      Path sharded = folder.resolve("sharded-" + stage);
      train(4, plan(1, stage), sharded, false);
      train(ranks, plan(2, stage), sharded, true);
      assertSameBytes(whole, sharded);
    }
  }

  @Test
  void shardedParametersGoOnWhereTheyAreWholeAndBack() throws Exception {
    Path whole = folder.resolve("whole");
    Path changing = folder.resolve("changing");
    train(3, plan(3, 0), whole, false);
    train(3, plan(1, 3), changing, false);
    train(3, plan(2, 0), changing, true);
    train(3, plan(3, 3), changing, true);
    assertSameBytes(whole, changing);
  }

  /**
   * Gradients of a batch in pieces are added up in each bucket's memory, and sent with the last.
   */
  @Test
  void piecesOfABatchAddUpToTheSameBytes() throws Exception {
    TrainingConfig pieces = TrainingConfig.of(2, 30, 3, null, null, null, null);
    train(2, plan(2, 0).training(pieces), folder.resolve("whole"), false);
    for (int stage = 2; stage <= 3; stage++) {
      Path sharded = folder.resolve("sharded-" + stage);
      train(2, plan(2, stage).training(pieces), sharded, false);
      assertSameBytes(folder.resolve("whole"), sharded);
    }
  }

  /**
   * Of 30 samples four ranks get 8, 8, 7 and 7, and so as many passes; of the last 2, 1 or none.
   */
  @Test
  void ranksWithFewerPiecesGatherWithTheOthers() throws Exception {
    TrainingConfig pieces = TrainingConfig.of(1, 30, 8, null, null, null, null);
    train(4, plan(1, 0).training(pieces), folder.resolve("whole"), false);
    train(4, plan(1, 3).training(pieces), folder.resolve("sharded"), false);
    assertSameBytes(folder.resolve("whole"), folder.resolve("sharded"));
  }

  static void assertSameBytes(Path whole, Path sharded) {
    for (StoredTensor expected : Runs.checkpoint(whole).tensors()) {
      StoredTensor found = Runs.checkpoint(sharded).tensor(expected.name());
      assertEquals(Runs.joined(expected), Runs.joined(found), expected.name());
    }
  }

  /** In shared memory, where all sums are in the ranks' order, as those of two ranks always are. */
  private void train(int ranks, Runs.Plan plan, Path into, boolean resume) throws Exception {
    int port = RankProcesses.freePort();
    CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.AUTO, 60.0);
    RankThreads.run(
        ranks,
        (group, rank, size) ->
            Communicator.join(new TcpOptions(rank, size, "127.0.0.1", port, "test", 60), config),
        group -> Runs.train(plan, data, group, into, resume));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void clippingIsByTheNormOfAllSlices(int stage) throws Exception {
    TrainingConfig clipped = TrainingConfig.of(1, 30, null, 0.1, null, null, null);
    Runs.train(3, plan(1, 0).training(clipped), data, folder.resolve("whole"));
    Runs.train(3, plan(1, stage).training(clipped), data, folder.resolve("sharded"));
    double difference = Runs.difference(folder.resolve("sharded"), folder.resolve("whole"));
    assertTrue(difference <= 1e-5, "parameters differ by " + difference);
    Runs.train(3, plan(1, stage), data, folder.resolve("free"));
    double free = Runs.difference(folder.resolve("free"), folder.resolve("whole"));
    assertTrue(free > 1e-3, "nothing was clipped");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void eitherGoesOnFromTheOther(int first) throws Exception {
    Path run = folder.resolve("run");
    Runs.train(4, plan(1, first), data, run);
    RankThreads.run(3, group -> Runs.train(plan(2, 1 - first), data, group, run, true));
    Runs.train(4, plan(2, 0), data, folder.resolve("whole"));
    double difference = Runs.difference(run, folder.resolve("whole"));
    assertTrue(difference <= 1e-3, "parameters differ by " + difference);
  }

  @Test
  void itIsRefusedWhereAHostSharesTheStateAnyway() {
    ConfigKeyException e =
        assertThrows(
            ConfigKeyException.class,
            () -> DataParallel.Options.defaults().withFused(true).withSharding(1));
    assertTrue(e.getMessage().contains("sharding: must be 0 with fused"), e.getMessage());
  }
}
