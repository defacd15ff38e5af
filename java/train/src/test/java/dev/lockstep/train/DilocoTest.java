package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.TrainingEvent.Started;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.TrainingConfig.Validation;
import dev.lockstep.train.strategy.Diloco;
import dev.lockstep.train.strategy.Diloco.Sent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How much DiLoCo sends, and when. */
@Timeout(120)
class DilocoTest {
  // 375 × 0.8 = 300 samples to train on: 10 steps an epoch.
  private final ArrayDataset data = ArrayDataset.smooth(375);

  @TempDir Path folder;

  private static Runs.Plan plan(StrategyConfig strategy) {
    ModelConfig model = ModelConfig.of(null, List.of(96, 96), null, null, null);
    TrainingConfig training =
        TrainingConfig.of(10, 30, null, null, null, null, null)
            .withValidation(new Validation(10, null, null));
    return new Runs.Plan(model, training, Runs.ADAM, strategy);
  }

  private static StrategyConfig diloco(int every, int fragments, int delay, Sent sent) {
    return StrategyConfig.of(Diloco.Options.of(every, fragments, delay, null, null, null, sent));
  }

  /** Bytes that rank 0 put into operations in each step, what follows a step included. */
  private List<Long> bytesOfSteps(String name, StrategyConfig strategy) throws Exception {
    List<Long> bytes = new ArrayList<>();
    RankThreads.run(
        2,
        group -> {
          long[] before = new long[1];
          return Runs.job(
                  plan(strategy),
                  data,
                  group,
                  event -> {
                    long now = group.communicationBytes();
                    if (event instanceof StepDone && group.rank() == 0) {
                      bytes.add(now - before[0]);
                    }
                    if (event instanceof Started || event instanceof StepDone) {
                      before[0] = now;
                    }
                  },
                  folder.resolve(name))
              .run(false);
        });
    assertEquals(100, bytes.size());
    return bytes;
  }

  private static long sum(List<Long> bytes) {
    return bytes.stream().mapToLong(Long::longValue).sum();
  }

  @Test
  void itSendsAFortyFifthOfDataParallelsBytes() throws Exception {
    long parallel = sum(bytesOfSteps("parallel", StrategyConfig.defaults()));
    long diloco = sum(bytesOfSteps("diloco", diloco(50, 1, 0, Sent.EXACT)));
    long halved = sum(bytesOfSteps("halved", diloco(50, 1, 0, Sent.BF16)));
    assertTrue(diloco <= parallel / 45.0, diloco + " of " + parallel);
    assertTrue(halved <= 0.6 * diloco, halved + " of " + diloco);
  }

  @Test
  void fragmentsSpreadTheBytesOverSteps() throws Exception {
    // Not the last step, after which all goes that has not gone before.
    long whole = max(bytesOfSteps("whole", diloco(20, 1, 0, Sent.EXACT)).subList(0, 99));
    long quarter = max(bytesOfSteps("quarter", diloco(20, 4, 2, Sent.EXACT)).subList(0, 99));
    assertTrue(quarter <= 1.2 / 4 * whole, quarter + " of " + whole);
  }

  private static long max(List<Long> bytes) {
    return bytes.stream().mapToLong(Long::longValue).max().orElseThrow();
  }

  @Test
  void fragmentsThatDoNotFitTheIntervalAreRefused() {
    ConfigKeyException e =
        assertThrows(ConfigKeyException.class, () -> diloco(10, 3, 0, Sent.EXACT));
    assertTrue(e.getMessage().contains("must divide every, 10, which 3 does not"), e.getMessage());
    e = assertThrows(ConfigKeyException.class, () -> diloco(10, 2, 5, Sent.EXACT));
    assertTrue(e.getMessage().contains("must be below every ÷ fragments, 5"), e.getMessage());
  }
}
