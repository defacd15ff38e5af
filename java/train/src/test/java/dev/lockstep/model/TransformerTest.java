package dev.lockstep.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.torch.TorchLibraries;
import java.util.List;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The built-in transformer: its numbers, its stages, and stages that are computed again. */
@Timeout(60)
class TransformerTest {
  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  private static ModelConfig config(Integer tokens, int width, int heads, double dropout) {
    return config(tokens, width, heads, dropout, FloatType.FLOAT64);
  }

  private static ModelConfig config(
      Integer tokens, int width, int heads, double dropout, FloatType type) {
    return ModelConfig.of(
        ModelConfig.Type.TRANSFORMER,
        null,
        null,
        null,
        type,
        null,
        width,
        2,
        dropout,
        null,
        null,
        null,
        null,
        null,
        tokens,
        heads,
        null);
  }

  private static Model model(double dropout) {
    return Model.transformer(config(3, 8, 2, dropout), new long[] {6}, new long[] {3}, 1);
  }

  /** sin(0.37 i + shift) · 0.3. */
  private static Tensor values(double shift, long... shape) {
    long count = 1;
    for (long length : shape) {
      count *= length;
    }
    Tensor line = torch.arange(new Scalar(count)).to(ScalarType.Double).mul(new Scalar(0.37));
    return line.add(new Scalar(shift)).sin().mul(new Scalar(0.3)).view(shape);
  }

  private static double[] doubles(Tensor tensor) {
    double[] numbers = new double[(int) tensor.numel()];
    new DoublePointer(tensor.detach().contiguous().data_ptr()).get(numbers);
    return numbers;
  }

  /**
   * By an implementation of its own in NumPy, sample by sample and head by head: pre-norm encoder
   * layers with exact GELU, 1e-5 in the layer norms and scores divided by √4.
   */
  @Test
  void computesWhatNumpyComputesFromTheSameParameters() {
    double[] expected = {
      0.260497713673, -0.419554077452, 0.512037838472, 0.260609968924, -0.419643216462,
      0.512100929871, 0.26384823698, -0.424287795487, 0.517999081147, 0.259712899375,
      -0.418477198909, 0.510704309236
    };
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        Model model = model(0)) {
      for (int i = 0; i < model.parameters().size(); i++) {
        ModelTensor parameter = model.parameters().get(i);
        parameter.tensor().copy_(values(i + 1, parameter.shape()));
      }
      assertArrayEquals(expected, doubles(model.forward(values(100, 4, 6))), 1e-10);
    }
  }

  @Test
  void givesEachPositionOfASequenceItsPrediction() {
    ModelConfig config = config(null, 8, 2, 0);
    try (PointerScope scope = new PointerScope();
        Model model = Model.transformer(config, new long[] {2, 5}, new long[] {3, 5}, 1)) {
      Tensor prediction = model.forward(values(0, 4, 2, 5));
      assertArrayEquals(new long[] {4, 3, 5}, ModelTensor.shape(prediction));
    }
  }

  @Test
  void canBeCutBetweenTheHalvesOfItsLayers() {
    try (Model model = model(0)) {
      assertEquals(
          List.of(
              "embedding",
              "layer0.attention",
              "layer0.feed_forward",
              "layer1.attention",
              "layer1.feed_forward",
              "head"),
          model.stageNames());
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    ModelException tokens =
        assertThrows(
            ModelException.class,
            () -> Model.transformer(config(4, 8, 2, 0), new long[] {6}, new long[] {3}, 1));
    assertTrue(tokens.getMessage().startsWith("model.tokens: 4 do not divide the 6 features"));
    assertEquals("heads", assertThrows(ConfigKeyException.class, () -> config(3, 8, 3, 0)).key());
    try (Model model = model(0)) {
      ModelException stage =
          assertThrows(ModelException.class, () -> model.recompute(List.of("layer2")));
      assertTrue(stage.getMessage().contains("has no stage layer2; it has [embedding, layer0."));
    }
  }

  @Test
  void stagesThatAreComputedAgainHaveTheSameDropoutAndTheSameGradients() {
    List<double[]> expected = gradients(List.of(), 5);
    for (List<String> again : List.of(List.of("all"), List.of("layer0", "layer1.attention"))) {
      assertSame(expected, gradients(again, 5));
    }
    double[] other = gradients(List.of("all"), 6).get(0);
    assertTrue(other[0] != expected.get(0)[0], "the seed decides what is dropped");
  }

  /** The second pass of a stage is made while backward runs, where autocast is off. */
  @ParameterizedTest
  @EnumSource(
      value = ScalarType.class,
      names = {"BFloat16", "Half"})
  void stagesAreComputedAgainInTheReducedTypesOfTheFirstPass(ScalarType type) {
    List<double[]> expected = reducedGradients(type, List.of());
    assertTrue(
        reducedGradients(ScalarType.Float, List.of()).get(0)[0] != expected.get(0)[0],
        "nothing was reduced");
    assertSame(expected, reducedGradients(type, List.of("all")));
  }

  /** Of a float32 model. */
  private static List<double[]> reducedGradients(ScalarType type, List<String> again) {
    ModelConfig small = config(3, 8, 2, 0.0, FloatType.FLOAT32);
    try (PointerScope scope = new PointerScope();
        Model model = Model.transformer(small, new long[] {6}, new long[] {3}, 1)) {
      model.recompute(again);
      AutocastState before = AutocastState.current();
      TrainingPass pass;
      new AutocastState(type != ScalarType.Float, type, true).set();
      try {
        torch.increment_nesting();
        Tensor inputs = values(100, 4, 6).to(ScalarType.Float);
        pass = model.trainingPass(inputs, stage -> stage);
      } finally {
        torch.decrement_nesting();
        torch.clear_cache();
        before.set();
      }
      Tensor output = pass.output().to(ScalarType.Float);
      pass.backward(output.mul(output).sum());
      return model.parameters().stream()
          .map(p -> doubles(p.tensor().grad().to(ScalarType.Double)))
          .toList();
    }
  }

  private static void assertSame(List<double[]> expected, List<double[]> found) {
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), found.get(i), "gradient " + i);
    }
  }

  private static List<double[]> gradients(List<String> again, long seed) {
    try (PointerScope scope = new PointerScope();
        Model model = model(0.3)) {
      model.recompute(again);
      TrainingPass pass = model.trainingPass(values(100, 4, 6), stage -> 100 * seed + stage);
      pass.backward(pass.output().mul(pass.output()).sum());
      return model.parameters().stream().map(p -> doubles(p.tensor().grad())).toList();
    }
  }
}
