package dev.lockstep.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.torch.TorchLibraries;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CnnTest {
  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  private static ModelConfig config(List<Integer> image, List<Integer> channels, int kernel) {
    return ModelConfig.of(
        ModelConfig.Type.CNN,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        image,
        channels,
        kernel);
  }

  /** 16·26 + 32·401 + 128·513 + 10·129, as PyTorch counts the same layers. */
  @Test
  void hasTheParametersOfItsLayers() {
    try (Model model = Model.cnn(config(List.of(1, 28, 28), List.of(16, 32), 5), 784, 10, 3)) {
      assertEquals(80_202, model.parameterCount());
    }
  }

  /** The maximum over 2 × 2 of relu(conv), worked out by torch from the same parameters. */
  @Test
  void isConvolutionMaximumAndLinearMapsInThisOrder() {
    try (PointerScope scope = new PointerScope();
        Model model = Model.cnn(config(List.of(2, 7, 9), List.of(3), 2), 126, 4, 3)) {
      List<Tensor> p = model.parameters().stream().map(ModelTensor::tensor).toList();
      Tensor rows = torch.randn(5, 126);
      Tensor image = rows.view(5, 2, 7, 9);
      Tensor conv = torch.relu(torch.conv2d(image, p.get(0)).add(p.get(1).view(1, 3, 1, 1)));
      Tensor flat = torch.max_pool2d(conv, 2, 2).view(5, -1);
      assertEquals(36, flat.size(1));
      Tensor hidden = torch.relu(flat.matmul(p.get(2).t()).add(p.get(3)));
      Tensor expected = hidden.matmul(p.get(4).t()).add(p.get(5));
      Tensor difference = model.forward(rows).sub(expected).abs();
      assertTrue(torch.max(difference).item_double() < 1e-5);
    }
  }

  @Test
  void refusesImagesThatAreNotTheSamples() {
    ModelException e =
        assertThrows(
            ModelException.class,
            () -> Model.cnn(config(List.of(1, 28, 28), List.of(16), 5), 100, 10, 3));
    assertTrue(e.getMessage().contains("has 784 numbers, but a sample of data.features has 100"));
    ModelException nothingLeft =
        assertThrows(
            ModelException.class,
            () -> Model.cnn(config(List.of(1, 8, 8), List.of(4, 4, 4), 3), 64, 10, 3));
    assertTrue(nothingLeft.getMessage().startsWith("Nothing is left of a cnn's image [1, 8, 8]"));
  }
}
