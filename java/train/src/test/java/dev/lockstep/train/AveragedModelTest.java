package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.StoredTensor;
import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.memory.FlatParameters;
import dev.lockstep.train.memory.ModelMemory;
import dev.lockstep.train.memory.NativeView;
import dev.lockstep.train.strategy.LocalSgd;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The moving average of the parameters. */
@Timeout(120)
class AveragedModelTest {
  private static final double DECAY = 0.4;
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  private static Runs.Plan plan(int epochs, long maxSteps) {
    TrainingConfig training =
        TrainingConfig.of(epochs, 30, null, null, null, null, null)
            .withEma(DECAY)
            .withLimits(maxSteps, null);
    return Runs.Plan.of(epochs, Runs.ADAM).training(training);
  }

  private static float[] floats(ByteBuffer data) {
    float[] values = new float[data.remaining() / Float.BYTES];
    data.asFloatBuffer().get(values);
    return values;
  }

  private static List<StoredTensor> averages(Checkpoint checkpoint) {
    return checkpoint.tensors().stream().filter(t -> t.name().startsWith("ema.model.")).toList();
  }

  private Checkpoint after(int steps, int ranks) throws Exception {
    Path into = folder.resolve(ranks + "-" + steps);
    Runs.train(ranks, plan(9, steps), data, into);
    return Runs.checkpoint(into);
  }

  /** The decay is (1 + t) ÷ (10 + t) at first: 4 ÷ 13 in the fourth step. */
  @Test
  void eachStepMovesTheAverageTowardsTheParameters() throws Exception {
    for (int steps : new int[] {3, 9}) {
      Checkpoint before = after(steps, 2);
      Checkpoint then = after(steps + 1, 2);
      double kept = Math.min(DECAY, (1.0 + steps) / (10.0 + steps));
      for (StoredTensor average : averages(then)) {
        float[] found = floats(average.data());
        float[] old = floats(before.tensor(average.name()).data());
        float[] parameters = floats(then.tensor(average.name().substring(4)).data());
        float[] expected = new float[found.length];
        for (int i = 0; i < found.length; i++) {
          expected[i] = (float) (kept * old[i] + (1 - kept) * parameters[i]);
        }
        assertArrayEquals(expected, found, 1e-6f, average.name());
      }
      assertEquals(6, averages(then).size());
    }
  }

  @Test
  void theModelFileAndTheScoresAreThoseOfTheAverage() throws Exception {
    TrainingResult result = Runs.train(2, plan(2, 100), data, folder.resolve("a")).get(0);
    Checkpoint last = Runs.checkpoint(folder.resolve("a"));
    try (Model model = Model.load(new RunFolder(folder.resolve("a")).model())) {
      model
          .parameters()
          .forEach(
              tensor -> {
                float[] saved = new float[(int) tensor.tensor().numel()];
                new org.bytedeco.javacpp.FloatPointer(tensor.tensor().data_ptr()).get(saved);
                assertArrayEquals(
                    floats(last.tensor("ema.model." + tensor.name()).data()), saved, tensor.name());
                assertNotEquals(floats(last.tensor("model." + tensor.name()).data())[0], saved[0]);
              });
    }
    // The same run without an average has another score.
    Runs.Plan plain = Runs.Plan.of(2, Runs.ADAM).training(plan(2, 100).training().withEma(null));
    TrainingResult other = Runs.train(2, plain, data, folder.resolve("b")).get(0);
    assertNotEquals(
        other.summary().orElseThrow().validationLoss(),
        result.summary().orElseThrow().validationLoss());
    assertEquals(
        1,
        Stream.of(result)
            .flatMap(r -> r.summary().orElseThrow().parametersSha256().stream())
            .distinct()
            .count());
  }

  @Test
  void aResumedRunHasTheSameBytes() throws Exception {
    Checkpoint straight = after(14, 2);
    Path into = folder.resolve("resumed");
    Runs.train(2, plan(9, 6), data, into);
    RankThreads.run(2, ranks -> Runs.train(plan(9, 14), data, ranks, into, true));
    Checkpoint resumed = Runs.checkpoint(into);
    for (StoredTensor average : averages(straight)) {
      assertEquals(average.data(), resumed.tensor(average.name()).data(), average.name());
    }
  }

  /**
   * As ranks of one host do. Each waits a moment for the other where only one of them could be in
   * the middle of its work if they did not wait for each other.
   */
  @Test
  void ranksThatShareTheirParametersFindThemBack() throws Exception {
    CountDownLatch firstIsInside = new CountDownLatch(1);
    CountDownLatch secondIsInside = new CountDownLatch(1);
    CountDownLatch firstIsOut = new CountDownLatch(1);
    TorchLibraries.load();
    try (Model model = Model.mlp(ModelConfig.of(null, List.of(), null, null, null), 3, 1, 1);
        Communicator alone = Communicator.single();
        FlatParameters shared = new FlatParameters(model, alone)) {
      ModelMemory memory = ModelMemory.whole(shared.values());
      float[] before = numbers(shared);
      RankThreads.run(
          2,
          ranks -> {
            boolean first = ranks.rank() == 0;
            try (AveragedModel average = new AveragedModel(DECAY, memory, ranks)) {
              ranks.barrier();
              if (first) {
                shared.values().zero();
              }
              ranks.barrier();
              if (!first) {
                waited(firstIsInside);
              }
              boolean inside =
                  average.instead(
                      () -> {
                        assertArrayEquals(before, numbers(shared));
                        (first ? firstIsInside : secondIsInside).countDown();
                        return waited(first ? secondIsInside : firstIsOut);
                      });
              firstIsOut.countDown();
              return inside;
            }
          });
      assertArrayEquals(new float[before.length], numbers(shared));
    }
  }

  /** For a moment at most. */
  private static boolean waited(CountDownLatch latch) {
    try {
      return latch.await(300, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static float[] numbers(FlatParameters parameters) {
    long bytes = parameters.layout().groups().get(0).bytes();
    return floats(NativeView.bytes(parameters.values().address(0), bytes));
  }

  @Test
  void ranksWithParametersOfTheirOwnAreRefused() {
    Runs.Plan local = plan(1, 3).strategy(StrategyConfig.of(new LocalSgd.Options(4)));
    ConfigKeyException e =
        assertThrows(
            ConfigKeyException.class, () -> Runs.train(2, local, data, folder.resolve("local")));
    assertTrue(e.getMessage().contains("training.ema"), e::getMessage);
    assertThrows(ConfigKeyException.class, () -> TrainingConfig.defaults().withEma(1.0));
  }
}
