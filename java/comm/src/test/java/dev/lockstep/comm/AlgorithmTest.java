package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankThreads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Choosing algorithms, by hand and by tuning file. */
@Timeout(120)
class AlgorithmTest {
  private static final List<Algorithm> ALL_REDUCES =
      List.of(
          Algorithm.RING,
          Algorithm.RECURSIVE_DOUBLING,
          Algorithm.HALVING_DOUBLING,
          Algorithm.BINOMIAL_TREE,
          Algorithm.DOUBLE_BINARY_TREE);

  @TempDir Path folder;

  private static Algorithm used(Communicator group) {
    assertEquals(group.size(), group.allReduce(new int[] {1}, ReduceOp.SUM)[0]);
    return group.lastAlgorithm();
  }

  @Test
  void whatWasChosenIsUsedUntilItIsTakenBack() throws Exception {
    RankThreads.run(
        3,
        group -> {
          for (Algorithm algorithm : ALL_REDUCES) {
            group.useAlgorithm(Collective.ALL_REDUCE, algorithm);
            assertEquals(algorithm, used(group));
          }
          group.useAlgorithm(Collective.ALL_REDUCE, null);
          assertEquals(Algorithm.RECURSIVE_DOUBLING, used(group));
          String refusal =
              assertThrows(
                      IllegalArgumentException.class,
                      () -> group.useAlgorithm(Collective.BARRIER, Algorithm.RING))
                  .getMessage();
          assertTrue(refusal.contains("it has dissemination"), refusal);
          group.barrier();
          assertEquals(Algorithm.DISSEMINATION, group.lastAlgorithm());
          return 0;
        });
  }

  @Test
  void aGroupOfOneTakesWhatLargerGroupsTake() {
    try (Communicator one = Communicator.single()) {
      one.useAlgorithm(Collective.ALL_REDUCE, Algorithm.RING);
      assertEquals(Algorithm.NONE, used(one));
    }
  }

  @Test
  void theTuningFileOfRankZeroCounts() throws Exception {
    Path file = folder.resolve("a.tuning");
    Files.writeString(file, "lockstep-tuning 1\nall-reduce * * * double-binary-tree\n");
    RankThreads.run(
        3,
        group -> {
          group.useTuning(group.rank() == 0 ? file : folder.resolve("not looked at"));
          assertEquals(Algorithm.DOUBLE_BINARY_TREE, used(group));
          return 0;
        });
  }

  @Test
  void aWrongTuningFileIsRefusedOnEveryRank() throws Exception {
    Path file = folder.resolve("a.tuning");
    for (String text : List.of("", "lockstep-tuning 1\nall-reduce * * * magic\n")) {
      Files.writeString(file, text);
      RankThreads.run(
          2,
          group -> {
            String refusal =
                assertThrows(IllegalArgumentException.class, () -> group.useTuning(file))
                    .getMessage();
            assertTrue(refusal.startsWith("Tuning " + file + ", line "), refusal);
            used(group); // The group is as it was.
            return 0;
          });
    }
  }

  @Test
  void nativeCodeKnowsEveryNameByTheSameCode() throws Exception {
    Path file = folder.resolve("names.tuning");
    String rows =
        ALL_REDUCES.stream()
            .map(algorithm -> row("all-reduce", algorithm))
            .collect(Collectors.joining());
    rows += row("all-reduce", Algorithm.DIRECT) + row("all-reduce", Algorithm.HIERARCHICAL);
    rows +=
        Arrays.stream(Collective.values())
            .map(collective -> row(collective.text(), onlyAlgorithmOf(collective)))
            .collect(Collectors.joining());
    Files.writeString(file, "lockstep-tuning 1\n" + rows);
    RankThreads.run(
        2,
        group -> {
          group.useTuning(file);
          for (Algorithm algorithm : ALL_REDUCES) {
            Path only = folder.resolve(algorithm.text());
            if (group.rank() == 0) {
              Files.writeString(only, "lockstep-tuning 1\n" + row("all-reduce", algorithm));
            }
            group.useTuning(only);
            assertEquals(algorithm, used(group));
          }
          return 0;
        });
  }

  private static Algorithm onlyAlgorithmOf(Collective collective) {
    return switch (collective) {
      case BROADCAST, REDUCE -> Algorithm.BINOMIAL_TREE;
      case SCATTER, GATHER -> Algorithm.LINEAR;
      case ALL_GATHER, REDUCE_SCATTER, ALL_REDUCE -> Algorithm.RING;
      case ALL_TO_ALL -> Algorithm.PAIRWISE;
      case BARRIER -> Algorithm.DISSEMINATION;
    };
  }

  private static String row(String collective, Algorithm algorithm) {
    return collective + " * * * " + algorithm.text() + "\n";
  }
}
