package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.model.Model;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.memory.ModelBuffers;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A model's buffers on several ranks. */
@Timeout(60)
class ModelBuffersTest {
  @TempDir Path folder;

  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  /** As a stage does that backward computes again. */
  @Test
  void whatChangesWhileCountersAreMergedIsNotMerged() throws Exception {
    Path file = TestModels.batchNorm(folder.resolve("norm.pt"));
    RankThreads.run(
        2,
        rank -> {
          try (PointerScope scope = new PointerScope();
              Model model = Model.load(file);
              ModelBuffers buffers = new ModelBuffers(model, rank)) {
            Tensor counter =
                model.buffers().stream()
                    .filter(buffer -> buffer.name().equals("batches"))
                    .findFirst()
                    .orElseThrow()
                    .tensor();
            counter.fill_(new Scalar(5 + rank.rank()));
            buffers.startMerge(0.5, 0);
            counter.fill_(new Scalar(99));
            buffers.finishMerge();
            assertEquals(5, counter.item_long());
          }
          return null;
        });
  }
}
