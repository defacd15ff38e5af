package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.LockstepException;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelException;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.train.strategy.DataParallel;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that training must adapt to, or refuse in one line. */
@Timeout(120)
class OddModelsTest {
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  private String refusal(Path model) {
    return refusal(1, Runs.Plan.of(1, Runs.SGD).model(model));
  }

  private String refusal(int ranks, Runs.Plan plan) {
    Throwable thrown =
        assertThrows(Exception.class, () -> Runs.train(ranks, plan, data, folder.resolve("r")));
    while (!(thrown instanceof LockstepException) && thrown.getCause() != null) {
      thrown = thrown.getCause();
    }
    assertInstanceOf(LockstepException.class, thrown);
    assertEquals(1, thrown.getMessage().lines().count(), thrown.getMessage());
    return thrown.getMessage();
  }

  private String refusalOfReturning(String expression) {
    return refusal(TestModels.returning(folder.resolve("returning.pt"), expression));
  }

  private static void assertContains(String part, String message) {
    assertTrue(message.contains(part), message);
  }

  @Test
  void aViewOfAParameterFollowsItAndSoDoesAPartOfABuffer() throws Exception {
    Path file = TestModels.views(folder.resolve("views.pt"));
    for (int ranks : new int[] {1, 2}) {
      Path run = folder.resolve("run" + ranks);
      Runs.train(ranks, Runs.Plan.of(1, Runs.SGD).model(file), data, run);
      try (Model model = Model.load(new RunFolder(run).model());
          PointerScope scope = new PointerScope()) {
        Tensor w = model.parameters().get(0).tensor();
        assertNotEquals(0.1f, w.select(0, 0).select(0, 0).item_double());
        Tensor transposed = view(model.parameters(), "transposed");
        assertTrue(transposed.equal(w.detach().t()));
        Tensor last = view(model.buffers(), "last");
        assertEquals(9, last.item_double());
      }
    }
  }

  private static Tensor view(List<ModelTensor> tensors, String name) {
    Stream<ModelTensor.View> views = tensors.stream().flatMap(tensor -> tensor.views().stream());
    return views.filter(view -> view.name().equals(name)).findFirst().orElseThrow().tensor();
  }

  @Test
  void twoParametersInOneMemoryAreRefusedByName() {
    String message = refusal(TestModels.tiedByView(folder.resolve("tied.pt")));
    assertContains("encoder and decoder", message);
  }

  @Test
  void anOutputWithoutGradientIsRefused() {
    assertContains(
        "No gradient reaches", refusalOfReturning("torch.linear(x, self.w, self.b).detach()"));
  }

  /** Slices are waited for or gathered stage by stage, so that the pass is cut. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void anOutputWithoutGradientIsRefusedWhereverParametersAre(int sharding) {
    Path model =
        TestModels.returning(
            folder.resolve("detached.pt"), "torch.linear(x, self.w, self.b).detach()");
    StrategyConfig strategy =
        StrategyConfig.of(DataParallel.Options.defaults().withSharding(sharding));
    assertContains(
        "No gradient reaches",
        refusal(2, Runs.Plan.of(1, Runs.SGD).model(model).strategy(strategy)));
  }

  @Test
  void outputsThatAreNoTensorOfRealNumbersAreRefused() {
    assertContains("instead of a tensor", refusalOfReturning("3"));
    assertContains(
        "complex numbers", refusalOfReturning("torch.complex(torch.linear(x, self.w), self.b)"));
    assertContains("of type Long", refusalOfReturning("torch.linear(x, self.w, self.b).long()"));
    assertContains("shape [30, 4]", refusalOfReturning("x * self.w[0]"));
    assertContains("shape []", refusalOfReturning("torch.mean(torch.linear(x, self.w))"));
  }

  @Test
  void severalOutputsAreRefused() {
    String linear = "torch.linear(x, self.w, self.b)";
    for (String several :
        List.of("(x, " + linear + ")", "[" + linear + "]", "{'y': " + linear + "}")) {
      assertContains("instead of a tensor", refusalOfReturning(several));
    }
  }

  @Test
  void severalInputsAreRefused() {
    String message = refusal(TestModels.ofTwoInputs(folder.resolve("two.pt")));
    assertContains("missing value for argument 'z'", message);
  }

  @Test
  void aComplexParameterIsRefusedByName() {
    String message = refusal(TestModels.besides(folder.resolve("c.pt"), ScalarType.ComplexFloat));
    assertContains("Parameter other", message);
    assertContains("view_as_complex", message);
  }

  @Test
  void aModelThatPredictsInAnotherTypeThanItsInputsTrains() throws Exception {
    Path file = TestModels.besides(folder.resolve("mixed.pt"), ScalarType.Double);
    TrainingResult result =
        Runs.train(2, Runs.Plan.of(5, Runs.SGD).model(file), data, folder.resolve("m")).get(0);
    assertTrue(result.summary().orElseThrow().scores().r2().get("y1") > 0);
    try (Model model = Model.load(new RunFolder(folder.resolve("m")).model())) {
      assertEquals(2, model.parameters().size());
    }
  }

  @Test
  void errorsOfTheLibraryAreModelExceptions() {
    Path file = TestModels.returning(folder.resolve("shape.pt"), "torch.linear(x, self.w.t())");
    assertContains("The forward pass", refusal(file));
    assertThrows(ModelException.class, () -> Model.load(folder));
  }
}
