package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.lockstep.comm.Communicator;
import dev.lockstep.model.Model;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.PrecisionConfig.Type;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The choice of {@code precision: auto} by times that the test makes up. */
@Timeout(120)
class PrecisionTrialTest {
  @TempDir Path folder;

  /**
   * A clock by which passes in float32 and in bf16, which take turns, last so many milliseconds.
   */
  private static LongSupplier clock(double float32, double bf16) {
    return new LongSupplier() {
      private int calls;
      private long now;

      @Override
      public long getAsLong() {
        if (calls % 2 == 1) {
          now += (long) ((calls / 2 % 2 == 0 ? float32 : bf16) * 1e6);
        }
        calls++;
        return now;
      }
    };
  }

  private Type choice(Communicator ranks, double float32, double bf16) {
    TorchLibraries.load();
    try (Model model = Model.load(folder.resolve("norm.pt"))) {
      model.setTraining(true);
      Type chosen =
          new PrecisionTrial(model, ranks, clock(float32, bf16)).choose(new long[] {5, 4});
      model.parameters().forEach(p -> assertFalse(p.tensor().mutable_grad().defined()));
      model
          .buffers()
          .forEach(
              buffer -> {
                if (buffer.name().equals("running_mean") || buffer.name().equals("batches")) {
                  assertEquals(0, buffer.tensor().abs().sum().item_double(), buffer.name());
                }
              });
      return chosen;
    }
  }

  @Test
  void bf16IsTakenWhereItSavesATwentieth() {
    TestModels.batchNorm(folder.resolve("norm.pt"));
    try (Communicator alone = Communicator.single()) {
      assertEquals(Type.BF16, choice(alone, 10, 6));
      assertEquals(Type.BF16, choice(alone, 10, 9.5));
      assertEquals(Type.FLOAT32, choice(alone, 10, 9.6));
      assertEquals(Type.FLOAT32, choice(alone, 10, 40));
    }
  }

  @Test
  void theSlowestRankDecidesForAll() throws Exception {
    TestModels.batchNorm(folder.resolve("norm.pt"));
    assertEquals(
        List.of(Type.FLOAT32, Type.FLOAT32),
        RankThreads.run(
            2, ranks -> ranks.rank() == 0 ? choice(ranks, 10, 4) : choice(ranks, 8, 20)));
  }
}
