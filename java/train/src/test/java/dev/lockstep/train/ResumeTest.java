package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.compression.CompressionConfig;
import dev.lockstep.train.strategy.DataParallel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A run that is interrupted and resumed leaves the bytes of one that was not. */
@Timeout(120)
class ResumeTest {
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void tenEpochsAreFiveAndFive(int ranks) throws Exception {
    Path straight = folder.resolve("straight");
    Path halves = folder.resolve("halves");
    Runs.train(ranks, Runs.Plan.of(10, Runs.ADAM), data, straight);
    Runs.train(ranks, Runs.Plan.of(5, Runs.ADAM), data, halves);
    resume(ranks, Runs.Plan.of(10, Runs.ADAM), halves);
    assertSameBytes(straight, halves, 10);
  }

  @Test
  void momentumIsResumed() throws Exception {
    Path straight = folder.resolve("straight");
    Path halves = folder.resolve("halves");
    Runs.train(2, Runs.Plan.of(4, Runs.MOMENTUM), data, straight);
    Runs.train(2, Runs.Plan.of(2, Runs.MOMENTUM), data, halves);
    resume(2, Runs.Plan.of(4, Runs.MOMENTUM), halves);
    assertSameBytes(straight, halves, 4);
  }

  @Test
  void aStopInTheMiddleOfAnEpochLosesNothing() throws Exception {
    Path straight = folder.resolve("straight");
    Path stopped = folder.resolve("stopped");
    Runs.Plan plan = Runs.Plan.of(3, Runs.ADAM);
    Runs.train(2, plan, data, straight);
    List<TrainingResult> results =
        RankThreads.run(2, ranks -> stopAtStep(4, 1, plan, stopped, ranks));
    for (TrainingResult result : results) {
      assertTrue(result.stopped());
      assertEquals(9 + 5, result.step(), "asked during step 4, heard in step 5 of epoch 2");
    }
    assertEquals(14, Runs.checkpoint(stopped).step());
    assertFalse(Files.exists(new RunFolder(stopped).model()));
    resume(2, plan, stopped);
    assertSameBytes(straight, stopped, 3);
  }

  /** Asks one rank, the last, to stop when rank 0 has finished a step of the second epoch. */
  private TrainingResult stopAtStep(
      int step, int asked, Runs.Plan plan, Path into, Communicator ranks) {
    TrainingJob[] job = new TrainingJob[1];
    TrainingListener recorder =
        event -> {
          if (event instanceof StepDone done
              && done.epoch() == 2
              && done.step() == step
              && ranks.rank() == asked) {
            job[0].requestStop();
          }
        };
    job[0] = Runs.job(plan, data, ranks, recorder, into);
    return job[0].run(false);
  }

  @Test
  void anotherNumberOfRanksGoesOn() throws Exception {
    Path alone = folder.resolve("alone");
    Path changed = folder.resolve("changed");
    Runs.train(1, Runs.Plan.of(2, Runs.SGD), data, alone);
    Runs.train(1, Runs.Plan.of(1, Runs.SGD), data, changed);
    resume(3, Runs.Plan.of(2, Runs.SGD), changed);
    double difference = Runs.difference(changed, alone);
    assertTrue(difference > 0 && difference <= 1e-5, "parameters differ by " + difference);
  }

  @Test
  void nothingToResumeIsABeginning() throws Exception {
    Path anew = folder.resolve("anew");
    resume(1, Runs.Plan.of(1, Runs.SGD), anew);
    assertEquals(9, Runs.checkpoint(anew).step());
  }

  @Test
  void aForeignCheckpointIsRefusedWithItsReason() throws Exception {
    Path run = folder.resolve("run");
    Runs.train(1, Runs.Plan.of(1, Runs.SGD), data, run);
    TrainingException e =
        assertThrows(TrainingException.class, () -> resume(1, Runs.Plan.of(2, Runs.MOMENTUM), run));
    assertTrue(e.getMessage().contains("another model or optimiser"), e.getMessage());
    assertTrue(e.getMessage().contains("optimizer.momentum.layer0.weight"), e.getMessage());
  }

  @Test
  void aCheckpointOfAnotherCompressionIsRefusedByItsKey() throws Exception {
    DataParallel.Options plain = DataParallel.Options.defaults().withFused(false);
    StrategyConfig none = StrategyConfig.of(plain);
    StrategyConfig int8 = StrategyConfig.of(plain.withCompression(CompressionConfig.of("int8")));
    for (boolean compressed : List.of(true, false)) {
      Path run = folder.resolve("compressed-" + compressed);
      Runs.train(2, Runs.Plan.of(1, Runs.SGD).strategy(compressed ? int8 : none), data, run);
      TrainingException e =
          assertThrows(
              TrainingException.class,
              () -> resume(2, Runs.Plan.of(2, Runs.SGD).strategy(compressed ? none : int8), run));
      String change = compressed ? "int8, not none" : "none, not int8";
      assertTrue(
          e.getMessage().contains("made with strategy.compression.type " + change), e.getMessage());
      assertTrue(e.getMessage().contains("give back the configuration"), e.getMessage());
    }
  }

  private List<TrainingResult> resume(int ranks, Runs.Plan plan, Path into) throws Exception {
    return RankThreads.run(ranks, communicator -> Runs.train(plan, data, communicator, into, true));
  }

  private static void assertSameBytes(Path a, Path b, int epochs) throws IOException {
    String newest = String.format(Locale.ROOT, "step-%012d", epochs * 9);
    Map<String, byte[]> expected = files(new RunFolder(a).checkpoints().resolve(newest));
    Map<String, byte[]> found = files(new RunFolder(b).checkpoints().resolve(newest));
    assertEquals(expected.keySet(), found.keySet());
    assertFalse(expected.isEmpty());
    expected.forEach((name, bytes) -> assertArrayEquals(bytes, found.get(name), name));
  }

  private static Map<String, byte[]> files(Path checkpoint) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> children = Files.list(checkpoint)) {
      for (Path child : children.toList()) {
        files.put(child.getFileName().toString(), Files.readAllBytes(child));
      }
    }
    return files;
  }
}
