package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Any number of ranks trains what one rank trains. */
@Timeout(120)
class WorldSizeTest {
  // 302 × 0.8 = 242 samples to train on: the last batch of 30 holds 2, so that ranks 2 and 3 have
  // none.
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void ranksWithSgdMatchOneRank(int ranks) throws Exception {
    matchesOneRank(ranks, Runs.SGD, 1e-5);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void ranksWithAdamMatchOneRank(int ranks) throws Exception {
    matchesOneRank(ranks, Runs.ADAM, 1e-3);
  }

  private void matchesOneRank(int ranks, OptimizerConfig optimizer, double tolerance)
      throws Exception {
    Path alone = folder.resolve("1");
    Path together = folder.resolve("n");
    TrainingResult one = Runs.train(1, Runs.Plan.of(1, optimizer), data, alone).get(0);
    List<TrainingResult> all = Runs.train(ranks, Runs.Plan.of(1, optimizer), data, together);
    double difference = Runs.difference(together, alone);
    assertTrue(difference <= tolerance, "parameters differ by " + difference);
    double expected = one.summary().orElseThrow().validationLoss();
    for (TrainingResult result : all) {
      assertEquals(expected, result.summary().orElseThrow().validationLoss(), 1e-4 * expected);
    }
    Set<String> hashes = new TreeSet<>(all.get(0).summary().orElseThrow().parametersSha256());
    assertEquals(1, hashes.size(), "ranks differ in bits: " + hashes);
  }

  @Test
  void twoRunsGiveTheSameBits() throws Exception {
    Runs.train(3, Runs.Plan.of(2, Runs.ADAM), data, folder.resolve("a"));
    Runs.train(3, Runs.Plan.of(2, Runs.ADAM), data, folder.resolve("b"));
    assertEquals(0, Runs.difference(folder.resolve("a"), folder.resolve("b")));
  }

  @Test
  void trainingReducesTheLoss() throws Exception {
    TrainingResult result =
        Runs.train(2, Runs.Plan.of(60, Runs.ADAM), data, folder.resolve("long")).get(0);
    assertTrue(result.summary().orElseThrow().scores().r2().get("y1") > 0.9, result.toString());
  }
}
