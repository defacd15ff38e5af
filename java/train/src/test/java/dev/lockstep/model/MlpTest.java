package dev.lockstep.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.torch.TorchLibraries;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** Built-in networks. */
@Timeout(60)
class MlpTest {
  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  private static ModelConfig hidden(Integer... widths) {
    return ModelConfig.of(null, List.of(widths), null, null, null);
  }

  @Test
  @ResourceLock(Resources.LOCALE)
  void isTheSameInALocaleWithDigitsOfItsOwn() {
    Locale before = Locale.getDefault();
    try {
      for (String tag : List.of("ar-EG", "fa-IR", "mr-IN", "my-MM", "tr-TR")) {
        Locale.setDefault(Locale.forLanguageTag(tag));
        try (Model model = Model.mlp(hidden(3, 3), 2, 1, 7)) {
          assertTrue(
              model.parameters().stream().anyMatch(p -> p.name().equals("layer2.bias")), tag);
        }
      }
    } finally {
      Locale.setDefault(before);
    }
  }

  /** The bits of a seed are part of what a run promises, so they are drawn as they always were. */
  @Test
  void drawsTheNumbersOfItsSeedInTheParametersOrder() {
    Random random = new Random(7);
    try (PointerScope scope = new PointerScope();
        Model model = Model.mlp(hidden(1200), 1000, 1, 7)) {
      for (int i = 0; i < 2; i++) {
        int count = (int) model.parameters().get(i).tensor().numel();
        double bound = 1 / Math.sqrt(1000);
        double[] drawn = random.doubles(count, -bound, bound).toArray();
        float[] expected = new float[count];
        for (int j = 0; j < count; j++) {
          expected[j] = (float) drawn[j];
        }
        float[] actual = new float[count];
        new FloatPointer(model.parameters().get(i).tensor().data_ptr()).get(actual);
        assertArrayEquals(expected, actual);
      }
    }
  }

  @Test
  void thatNoMachineHoldsIsRefusedWithItsSize() {
    for (List<Integer> widths :
        List.of(List.of(1_000_000_000, 1_000_000_000), List.of(Integer.MAX_VALUE, 4096))) {
      ModelConfig config = ModelConfig.of(null, widths, null, null, null);
      String message =
          assertThrows(ModelException.class, () -> Model.mlp(config, 3, 1, 1)).getMessage();
      assertTrue(message.startsWith("hidden: [") && message.contains("GiB"), message);
    }
  }
}
