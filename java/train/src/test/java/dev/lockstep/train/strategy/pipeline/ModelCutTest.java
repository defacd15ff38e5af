package dev.lockstep.train.strategy.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.MeshConfig;
import dev.lockstep.train.strategy.Mesh;
import dev.lockstep.train.strategy.pipeline.ModelCut.Cuttable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where a model is cut, and which of its tensors then have memory on a rank. */
@Timeout(60)
class ModelCutTest {
  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  private static Model model() {
    return Model.mlp(ModelConfig.of(null, List.of(8, 8, 8), null, null, null), 4, 2, 1);
  }

  private static int[] begins(ModelCut cut) {
    return IntStream.range(0, cut.parts()).map(cut::begin).toArray();
  }

  @Test
  void theSlowestPartIsAsFastAsCanBe() {
    try (Model model = model()) {
      Cuttable cuttable = new Cuttable(model);
      assertEquals(4, cuttable.mostParts());
      assertArrayEquals(new int[] {0, 3}, begins(cuttable.balanced(new double[] {1, 1, 1, 5}, 2)));
      assertArrayEquals(new int[] {0, 1}, begins(cuttable.balanced(new double[] {6, 2, 2, 2}, 2)));
      assertArrayEquals(
          new int[] {0, 1, 3}, begins(cuttable.balanced(new double[] {3, 1, 2, 4}, 3)));
    }
  }

  @Test
  void aPartIsDescribedByItsLayers() {
    try (Model model = model()) {
      ModelCut cut = new Cuttable(model).at(model, List.of("layer0", "layer3"));
      assertEquals("part 0 of 2 (layer0 … layer2)", cut.describe(0));
      assertEquals("part 1 of 2 (layer3)", cut.describe(1));
    }
  }

  @Test
  void aRankHasMemoryForItsOwnTensorsAloneUntilTheModelIsCompleted() throws Exception {
    List<float[]> expected;
    try (Model model = model()) {
      expected = numbers(model);
    }
    RankThreads.run(
        2,
        rank -> {
          try (Model model = model();
              Mesh mesh = Mesh.form(rank, MeshConfig.defaults(), 2, 1)) {
            ModelCut cut = new Cuttable(model).at(model, List.of("layer0", "layer2"));
            PartTensors tensors = PartTensors.parameters(model, cut, mesh);
            tensors.release();
            List<String> own = tensors.own().stream().map(ModelTensor::name).toList();
            String first = rank.rank() == 0 ? "layer0" : "layer2";
            String second = rank.rank() == 0 ? "layer1" : "layer3";
            assertEquals(
                List.of(first + ".weight", first + ".bias", second + ".weight", second + ".bias"),
                own);
            for (ModelTensor tensor : model.parameters()) {
              boolean here = own.contains(tensor.name());
              long elements = here ? tensor.tensor().numel() : 1;
              assertEquals(Float.BYTES * elements, tensor.tensor().storage().nbytes());
              assertEquals(!here, Double.isNaN(tensor.tensor().sum().item_double()));
            }
            tensors.complete();
            List<float[]> completed = numbers(model);
            for (int i = 0; i < expected.size(); i++) {
              assertTrue(Arrays.equals(expected.get(i), completed.get(i)), "parameter " + i);
            }
          }
          return null;
        });
  }

  private static List<float[]> numbers(Model model) {
    List<float[]> numbers = new ArrayList<>();
    for (ModelTensor parameter : model.parameters()) {
      Tensor tensor = parameter.tensor();
      float[] values = new float[(int) tensor.numel()];
      new FloatPointer(tensor.data_ptr()).get(values);
      numbers.add(values);
    }
    return numbers;
  }
}
