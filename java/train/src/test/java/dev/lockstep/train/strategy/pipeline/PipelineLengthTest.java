package dev.lockstep.train.strategy.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.MeshConfig;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Over how many ranks a model of four layers is cut. */
@Timeout(60)
class PipelineLengthTest {
  private static final List<String> THREE = List.of("layer0", "layer1", "layer2");

  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  private static int length(
      int ranks,
      @Nullable Integer asked,
      @Nullable List<String> stages,
      @Nullable PipelineSchedule schedule) {
    PipelineConfig config = PipelineConfig.of(stages, schedule, null, null);
    try (Model model =
        Model.mlp(ModelConfig.of(null, List.of(8, 8, 8), null, null, null), 4, 2, 1)) {
      return new Pipeline()
          .pipelineLength(
              Pipeline.Options.of(config), new MeshConfig(null, asked, null), model, ranks);
    }
  }

  private static void assertRefused(
      String key,
      String reason,
      int ranks,
      @Nullable List<String> stages,
      @Nullable PipelineSchedule schedule) {
    ConfigKeyException refused =
        assertThrows(ConfigKeyException.class, () -> length(ranks, null, stages, schedule));
    assertEquals(key, refused.key());
    assertTrue(refused.getMessage().contains(reason), refused.getMessage());
    assertEquals(1, length(ranks, 1, stages, schedule), "mesh.pipeline: 1 is always possible");
  }

  @Test
  void isTheMostThatDividesTheRanksAndThatThereAreLayersFor() {
    assertEquals(1, length(1, null, null, null));
    assertEquals(2, length(2, null, null, null));
    assertEquals(4, length(4, null, null, null));
    assertEquals(3, length(6, null, null, null));
    assertEquals(4, length(8, null, null, null));
    assertEquals(2, length(4, null, null, PipelineSchedule.INTERLEAVED));
  }

  @Test
  void isThatOfTheNamedPartsAndNoOther() {
    assertEquals(3, length(3, null, THREE, null));
    assertEquals(3, length(6, null, THREE, null));
    assertEquals(2, length(4, null, List.of("layer0", "layer2"), null));
    assertEquals(1, length(1, null, THREE, null));
  }

  /** Ranks that were given parts by two rules waited for each other for ever. */
  @Test
  void partsThatTheRanksCannotShareOutAreRefusedWithTheNumbersThatArePossible() {
    String key = "strategy.pipeline.stages";
    assertRefused(key, "names 3 parts, [layer0, layer1, layer2], but", 2, THREE, null);
    assertRefused(key, "the run's 2 ranks have 2 parts (ranks × chunks)", 2, THREE, null);
    assertRefused(key, "the run's 4 ranks have 2 or 4 parts (ranks × chunks)", 4, THREE, null);
    assertRefused(key, "ranks have 4 parts", 4, THREE, PipelineSchedule.INTERLEAVED);
    assertRefused(key, "names 1 part, ", 2, List.of("layer0"), null);
  }

  @Test
  void ranksAmongWhichNoPipelineCanBeFormedAreNotSilentlyDataParallel() {
    String reason = "the model has 4 parts that can lie on ranks of their own";
    assertRefused("mesh.pipeline", reason, 5, null, null);
    assertRefused("mesh.pipeline", reason, 7, THREE, null);
    assertRefused(
        "mesh.pipeline", "or strategy.pipeline.chunks", 3, null, PipelineSchedule.INTERLEAVED);
  }
}
