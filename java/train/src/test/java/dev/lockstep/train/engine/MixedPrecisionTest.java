package dev.lockstep.train.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.model.FloatType;
import dev.lockstep.train.PrecisionConfig;
import dev.lockstep.train.PrecisionConfig.Type;
import dev.lockstep.train.engine.Precision.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

/** The loss scale by hand, and what a region computes in. */
class MixedPrecisionTest {
  private static final PrecisionConfig FP16 = PrecisionConfig.of(Type.FP16).withScale(65536, 3);

  private static Reduced reduced(boolean finite) {
    return new Reduced(List.of(), 0, finite, Set.of());
  }

  @Test
  void theScaleFollowsOverflowsAndRunsOfGoodSteps() {
    MixedPrecision precision = new MixedPrecision(FP16, Type.FP16);
    List<Double> scales = new ArrayList<>();
    // . is a finite step, x an overflow; after 3 finite ones in a row the scale doubles.
    String steps = "..x...x.x....";
    for (char step : steps.toCharArray()) {
      Verdict verdict = precision.judge(reduced(step == '.'));
      assertEquals(step == '.' ? Verdict.APPLY : Verdict.SKIP, verdict);
      scales.add(precision.lossScale());
    }
    double full = 65536;
    double half = 32768;
    double quarter = 16384;
    assertEquals(
        List.of(
            full, full, half, half, half, full, half, half, quarter, quarter, quarter, half, half),
        scales);
  }

  @Test
  void aScaleBelowOneIsAFailure() {
    MixedPrecision precision =
        new MixedPrecision(PrecisionConfig.of(Type.FP16).withScale(2, 3), Type.FP16);
    assertEquals(Verdict.SKIP, precision.judge(reduced(false)));
    assertEquals(1, precision.lossScale());
    assertEquals(Verdict.FAIL, precision.judge(reduced(false)));
  }

  @Test
  void whatIsSavedGoesOnWithTheSameScales() {
    MixedPrecision first = new MixedPrecision(FP16, Type.FP16);
    for (boolean finite : new boolean[] {false, true, true}) {
      first.judge(reduced(finite));
    }
    TrainingState saved = new TrainingState();
    first.declare(saved);
    ObjectNode values = saved.values();
    MixedPrecision second = new MixedPrecision(FP16, Type.FP16);
    TrainingState state = new TrainingState();
    second.declare(state);
    state.restoreValues(values);
    assertEquals(32768, second.lossScale());
    second.judge(reduced(true));
    assertEquals(65536, second.lossScale());
  }

  @Test
  void aShorterGrowthIntervalAfterAResumptionIsHeeded() {
    MixedPrecision first = new MixedPrecision(FP16.withScale(65536, 9), Type.FP16);
    for (int step = 0; step < 5; step++) {
      first.judge(reduced(true));
    }
    TrainingState saved = new TrainingState();
    first.declare(saved);
    MixedPrecision second = new MixedPrecision(FP16, Type.FP16);
    TrainingState state = new TrainingState();
    second.declare(state);
    state.restoreValues(saved.values());
    second.judge(reduced(true));
    assertEquals(131072, second.lossScale(), "6 steps in a row, where 3 are enough");
  }

  @Test
  void autoGoesOnWithWhatTheCheckpointSays() {
    PrecisionConfig auto = PrecisionConfig.of(Type.AUTO);
    for (Type then : List.of(Type.BF16, Type.FLOAT32)) {
      TrainingState saved = new TrainingState();
      new MixedPrecision(auto, then).declare(saved);
      Type now = then == Type.BF16 ? Type.FLOAT32 : Type.BF16;
      MixedPrecision resumed = new MixedPrecision(auto, now);
      TrainingState state = new TrainingState();
      resumed.declare(state);
      state.restoreValues(saved.values());
      assertEquals(then == Type.BF16, resumed.reducedType().isPresent());
    }
  }

  @Test
  void aScaleWithoutHalfPrecisionIsRefusedByItsKey() {
    for (Type type : List.of(Type.BF16, Type.FLOAT32, Type.AUTO)) {
      PrecisionConfig config = PrecisionConfig.of(type);
      assertEquals(
          "initial_scale",
          assertThrows(ConfigKeyException.class, () -> config.withScale(1024, 2000)).key());
      assertEquals(
          "growth_interval",
          assertThrows(ConfigKeyException.class, () -> config.withScale(65536, 3)).key());
    }
  }

  @Test
  void bfloat16AndFloat32HaveNoScaleAndSkipNothing() {
    for (Type type : List.of(Type.BF16, Type.FLOAT32)) {
      MixedPrecision precision = new MixedPrecision(PrecisionConfig.of(type), type);
      assertEquals(1, precision.lossScale());
      assertFalse(precision.maySkip());
      assertEquals(Verdict.FAIL, precision.judge(reduced(false)));
      assertEquals(1, precision.lossScale());
    }
  }

  @Test
  void aRegionReducesProductsAndLeavesTheThreadAsItWas() {
    try (PointerScope scope = new PointerScope()) {
      Tensor weight = torch.ones(new long[] {3, 4}).mul(new org.bytedeco.pytorch.Scalar(0.1));
      weight = weight.set_requires_grad(true);
      Tensor product;
      Tensor exponential;
      try (Autocast region = new Autocast(Optional.of(FloatType.BFLOAT16))) {
        product = torch.ones(new long[] {2, 4}).matmul(weight.t());
        exponential = torch.mse_loss(product, torch.zeros(new long[] {2, 3}));
      }
      assertEquals(ScalarType.BFloat16, product.scalar_type().intern());
      assertEquals(ScalarType.Float, exponential.scalar_type().intern());
      exponential.backward();
      assertEquals(ScalarType.Float, weight.grad().scalar_type().intern());
      assertFalse(torch.is_autocast_enabled(DeviceType.CPU));
      Tensor after = torch.ones(new long[] {2, 4}).matmul(weight.t());
      assertEquals(ScalarType.Float, after.scalar_type().intern());
      // 0.1 in bfloat16 is 0.10009765625: a product of the rounded weights, not of the weights.
      assertEquals(0.4004, product.flatten().select(0, 0).item_double(), 1e-3);
      assertTrue(Math.abs(after.flatten().select(0, 0).item_double() - 0.4) < 1e-6);
    }
  }
}
