package dev.lockstep.train.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.model.ModelException;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.LossConfig;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.TrainingException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Losses and their gradients against formulas of their own, on maps of two targets. */
class LossTest {
  private static final int SAMPLES = 2;
  private static final int TARGETS = 2;
  private static final int CELLS = 6;

  @TempDir Path folder;

  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  /** The loss of one value: what the network gives for it, group by group, and the truth. */
  interface Formula {
    double of(double[] outputs, double truth);
  }

  private static final Formula NORMAL_DENSITY =
      (o, y) -> {
        double variance = Math.exp(o[1]) + 1e-6;
        double density =
            Math.exp(-(y - o[0]) * (y - o[0]) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
        return -Math.log(density);
      };

  /**
   * The definition, ∫ (F(x) − 1(x ≥ y))² dx, by the trapezoidal rule instead of the closed form.
   */
  private static double score(double[] outputs, double truth) {
    double deviation = Math.sqrt(Math.exp(outputs[1]) + 1e-6);
    int steps = 40_000;
    double from = Math.min(truth, outputs[0] - 10 * deviation);
    double to = Math.max(truth, outputs[0] + 10 * deviation);
    double below = integral(from, truth, steps, outputs[0], deviation, 0, false);
    double reached = distribution(truth, from, steps, outputs[0], deviation);
    return below + integral(truth, to, steps, outputs[0], deviation, reached, true);
  }

  private static double distribution(
      double x, double from, int steps, double mean, double deviation) {
    double sum = 0;
    double h = (x - from) / steps;
    for (int i = 0; i <= steps; i++) {
      sum += (i % steps == 0 ? 0.5 : 1) * h * density(from + i * h, mean, deviation);
    }
    return sum;
  }

  private static double integral(
      double from, double to, int steps, double mean, double deviation, double f, boolean above) {
    double h = (to - from) / steps;
    double sum = 0;
    double before = density(from, mean, deviation);
    for (int i = 0; i <= steps; i++) {
      double difference = above ? 1 - f : f;
      sum += (i % steps == 0 ? 0.5 : 1) * h * difference * difference;
      double next = density(from + (i + 1) * h, mean, deviation);
      f += h * (before + next) / 2;
      before = next;
    }
    return sum;
  }

  private static double density(double x, double mean, double deviation) {
    double z = (x - mean) / deviation;
    return Math.exp(-z * z / 2) / (deviation * Math.sqrt(2 * Math.PI));
  }

  private static Formula pinball(List<Double> levels) {
    return (o, y) -> {
      double sum = 0;
      for (int i = 0; i < o.length; i++) {
        double error = y - o[i];
        sum += error >= 0 ? levels.get(i) * error : (levels.get(i) - 1) * error;
      }
      return sum / o.length;
    };
  }

  private static double[] random(int count, long seed) {
    Random random = new Random(seed);
    return random.doubles(count).map(x -> 2 * x - 1).toArray();
  }

  /** Some zero. */
  private static double[] weights() {
    double[] weights = random(SAMPLES * TARGETS * CELLS, 3);
    Arrays.setAll(weights, i -> i % 5 == 0 ? 0 : 1 + weights[i]);
    return weights;
  }

  /** The mean over all values of weight × loss. */
  private static double expected(
      Formula formula, int groups, double[] outputs, double[] truth, double[] weights) {
    double sum = 0;
    for (int n = 0; n < SAMPLES; n++) {
      for (int i = 0; i < TARGETS * CELLS; i++) {
        double[] own = new double[groups];
        for (int g = 0; g < groups; g++) {
          own[g] = outputs[(n * groups + g) * TARGETS * CELLS + i];
        }
        int at = n * TARGETS * CELLS + i;
        sum += weights[at] == 0 ? 0 : weights[at] * formula.of(own, truth[at]);
      }
    }
    return sum / truth.length;
  }

  /** By central differences, of the one loss that an output is in. */
  private static double[] expectedGradient(
      Formula formula, int groups, double[] outputs, double[] truth, double[] weights) {
    double[] gradient = new double[outputs.length];
    int values = TARGETS * CELLS;
    for (int k = 0; k < outputs.length; k++) {
      int sample = k / (groups * values);
      int at = sample * values + k % values;
      double[] own = new double[groups];
      for (int g = 0; g < groups; g++) {
        own[g] = outputs[(sample * groups + g) * values + k % values];
      }
      int group = k / values % groups;
      double here = own[group];
      own[group] = here + 1e-4;
      double more = formula.of(own, truth[at]);
      own[group] = here - 1e-4;
      double less = formula.of(own, truth[at]);
      gradient[k] = weights[at] * (more - less) / 2e-4 / truth.length;
    }
    return gradient;
  }

  private static double[] numericalGradient(ToDoubleFunction<double[]> of, double[] at) {
    double[] gradient = new double[at.length];
    for (int i = 0; i < at.length; i++) {
      double[] more = at.clone();
      double[] less = at.clone();
      more[i] += 1e-4;
      less[i] -= 1e-4;
      gradient[i] = (of.applyAsDouble(more) - of.applyAsDouble(less)) / 2e-4;
    }
    return gradient;
  }

  private static double[] values(Tensor tensor) {
    Tensor dense = tensor.to(ScalarType.Double).contiguous();
    double[] values = new double[(int) dense.numel()];
    new DoublePointer(dense.data_ptr()).get(values);
    return values;
  }

  private static Tensor map(double[] values) {
    return Tensor.create(values).reshape(SAMPLES, values.length / SAMPLES / CELLS, 2, CELLS / 2);
  }

  private static double[] gradient(Loss loss, double[] outputs, Tensor truth, Tensor weights) {
    Tensor prediction = map(outputs).set_requires_grad(true);
    loss.mean(prediction, new SampleReader.Samples(prediction, truth, weights)).backward();
    return values(prediction.grad());
  }

  private void assertLossIs(LossConfig config, Formula formula, double tolerance) {
    int groups = config.outputsPerTarget();
    double[] outputs = random(SAMPLES * groups * TARGETS * CELLS, 1);
    double[] truth = random(SAMPLES * TARGETS * CELLS, 2);
    double[] ones = new double[truth.length];
    Arrays.fill(ones, 1);
    try (PointerScope scope = new PointerScope();
        Loss loss = new Loss(config, 0.3)) {
      for (double[] weights : new double[][] {weights(), ones}) {
        Tensor given = weights == ones ? null : map(weights);
        SampleReader.Samples samples = new SampleReader.Samples(map(outputs), map(truth), given);
        double found = loss.mean(map(outputs), samples).item_double();
        assertEquals(expected(formula, groups, outputs, truth, weights), found, tolerance);
        double[] gradient = gradient(loss, outputs, map(truth), given);
        double[] expected = expectedGradient(formula, groups, outputs, truth, weights);
        assertArrayEquals(expected, gradient, 1e-6, config::toString);
      }
    }
  }

  @Test
  void errorsOfOneValueForEachTargetAreThoseOfTheirFormulas() {
    assertLossIs(LossConfig.of(LossType.MSE), (o, y) -> (o[0] - y) * (o[0] - y), 1e-12);
    assertLossIs(LossConfig.of(LossType.MAE), (o, y) -> Math.abs(o[0] - y), 1e-12);
    assertLossIs(
        LossConfig.of(LossType.HUBER),
        (o, y) -> {
          double error = Math.abs(o[0] - y);
          return error <= 0.3 ? error * error / 2 : 0.3 * (error - 0.15);
        },
        1e-12);
  }

  @Test
  void gaussianNllIsMinusTheLogarithmOfTheNormalDensity() {
    assertLossIs(LossConfig.of(LossType.GAUSSIAN_NLL), NORMAL_DENSITY, 1e-12);
  }

  @Test
  void crpsIsTheIntegralThatDefinesIt() {
    assertLossIs(LossConfig.of(LossType.CRPS), LossTest::score, 1e-7);
  }

  @Test
  void quantilesHaveThePinballLossOfTheirLevels() {
    List<Double> levels = List.of(0.05, 0.5, 0.9);
    assertLossIs(LossConfig.quantiles(levels), pinball(levels), 1e-12);
  }

  @Test
  void crossEntropyOfCellsIsThatOfTheSoftmaxTimesTheWeightOfTheClass() {
    int classes = 3;
    double[] scores = random(SAMPLES * classes * CELLS, 1);
    double[] weights = Arrays.copyOf(weights(), SAMPLES * CELLS);
    long[] truth = new Random(4).ints(SAMPLES * CELLS, 0, classes).asLongStream().toArray();
    for (List<Double> ofClasses : List.of(List.of(1.0, 0.5, 4.0), List.<Double>of())) {
      ToDoubleFunction<double[]> formula =
          s -> {
            double sum = 0;
            for (int i = 0; i < truth.length; i++) {
              int sample = i / CELLS;
              double all = 0;
              for (int k = 0; k < classes; k++) {
                all += Math.exp(s[(sample * classes + k) * CELLS + i % CELLS]);
              }
              int own = (int) truth[i];
              double p = Math.exp(s[(sample * classes + own) * CELLS + i % CELLS]) / all;
              double weight = ofClasses.isEmpty() ? 1 : ofClasses.get(own);
              sum -= weights[i] * weight * Math.log(p);
            }
            return sum / truth.length;
          };
      try (PointerScope scope = new PointerScope();
          Loss loss = new Loss(LossConfig.crossEntropy(ofClasses), 1)) {
        Tensor numbers = Tensor.create(truth).reshape(SAMPLES, 2, CELLS / 2);
        Tensor given = Tensor.create(weights).reshape(SAMPLES, 2, CELLS / 2);
        SampleReader.Samples samples = new SampleReader.Samples(map(scores), numbers, given);
        assertEquals(
            formula.applyAsDouble(scores), loss.mean(map(scores), samples).item_double(), 1e-12);
        assertArrayEquals(
            numericalGradient(formula, scores), gradient(loss, scores, numbers, given), 1e-6);
        // The same as rows of numbers.
        SampleReader.Samples rows =
            new SampleReader.Samples(
                map(scores), numbers.reshape(SAMPLES, CELLS), given.reshape(SAMPLES, CELLS));
        Tensor flat = map(scores).reshape(SAMPLES, classes * CELLS);
        assertEquals(formula.applyAsDouble(scores), loss.mean(flat, rows).item_double(), 1e-12);
      }
    }
  }

  /** Whatever is written there, even what is far from all else. */
  @Test
  void valuesOfWeightZeroCountInNoLossAndGetNoGradient() {
    double[] weights = weights();
    double[] truth = random(SAMPLES * TARGETS * CELLS, 2);
    double[] other = truth.clone();
    for (int i = 0; i < other.length; i++) {
      other[i] = weights[i] == 0 ? 1e6 : other[i];
    }
    for (LossType type : LossType.values()) {
      if (type == LossType.CROSS_ENTROPY || type == LossType.FILE) {
        continue;
      }
      try (PointerScope scope = new PointerScope();
          Loss loss = new Loss(type, 1)) {
        int groups = LossConfig.of(type).outputsPerTarget();
        double[] outputs = random(groups * truth.length, 1);
        double[] gradient = gradient(loss, outputs, map(other), map(weights));
        assertArrayEquals(gradient(loss, outputs, map(truth), map(weights)), gradient, 0);
        for (int i = 0; i < gradient.length; i++) {
          int sample = i / (groups * TARGETS * CELLS);
          int value = sample * TARGETS * CELLS + i % (TARGETS * CELLS);
          assertTrue(weights[value] > 0 || gradient[i] == 0, type + " at " + i);
        }
      }
    }
  }

  /** Else two ranks would not have the loss of one process. */
  @Test
  void theLossOfABatchIsTheMeanOfItsPartsWhateverIsMasked() {
    double[] weights = weights();
    double[] truth = random(SAMPLES * TARGETS * CELLS, 2);
    for (LossType type : List.of(LossType.MSE, LossType.CRPS, LossType.QUANTILES)) {
      try (PointerScope scope = new PointerScope();
          Loss loss = new Loss(type, 1)) {
        Tensor outputs = map(random(LossConfig.of(type).outputsPerTarget() * truth.length, 1));
        double whole = loss.mean(outputs, samples(map(truth), map(weights))).item_double();
        double parts = 0;
        for (int n = 0; n < SAMPLES; n++) {
          SampleReader.Samples own =
              samples(map(truth).narrow(0, n, 1), map(weights).narrow(0, n, 1));
          parts += loss.mean(outputs.narrow(0, n, 1), own).item_double() / SAMPLES;
        }
        assertEquals(whole, parts, 1e-12);
      }
    }
  }

  private static SampleReader.Samples samples(Tensor truth, @Nullable Tensor weights) {
    return new SampleReader.Samples(truth, truth, weights);
  }

  private Path script(String name, String body) {
    Path file = folder.resolve(name);
    try (PointerScope scope = new PointerScope()) {
      JitModule module =
          new JitModule(new QualifiedName("__torch__.test." + name.replace(".", "_")));
      module.define(
          "def forward(self, prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:\n"
              + body);
      module.save(file.toString());
    }
    return file;
  }

  @Test
  void aFileComputesTheLossOfPredictionTargetAndMask() {
    String body = "    return ((prediction - target) ** 4 * mask).BEHIND\n";
    double[] truth = random(SAMPLES * TARGETS * CELLS, 2);
    for (String behind : List.of("mean()", "flatten(1).mean(1)")) {
      String file = script("fourth.pt", body.replace("BEHIND", behind)).toString();
      assertLossIs(LossConfig.file(file), (o, y) -> Math.pow(o[0] - y, 4), 1e-12);
    }
    for (String bad :
        List.of(
            "    return prediction - target\n",
            "    return target.mean()\n",
            "    return torch.matmul(prediction, target[0:1, 0:1, 0:1])\n")) {
      try (PointerScope scope = new PointerScope();
          Loss loss = new Loss(LossConfig.file(script("bad.pt", bad).toString()), 1)) {
        Tensor prediction = map(truth).set_requires_grad(true);
        ModelException e =
            assertThrows(
                ModelException.class,
                () -> loss.mean(prediction, samples(map(truth), map(weights()))));
        assertTrue(e.getMessage().contains("bad.pt"), e::getMessage);
      }
    }
    assertThrows(
        ModelException.class,
        () -> new Loss(LossConfig.file(folder.resolve("none.pt").toString()), 1).close());
  }

  @Test
  void outputsThatAreNotThoseOfTheLossAreRefused() {
    double[] truth = random(SAMPLES * TARGETS * CELLS, 2);
    try (PointerScope scope = new PointerScope();
        Loss loss = new Loss(LossType.CRPS, 1);
        Loss classes = new Loss(LossConfig.crossEntropy(List.of(1.0, 2.0)), 1)) {
      TrainingException e =
          assertThrows(
              TrainingException.class, () -> loss.mean(map(truth), samples(map(truth), null)));
      assertTrue(e.getMessage().contains("needs 2 outputs for each target"), e::getMessage);
      Tensor numbers = Tensor.create(new long[SAMPLES * CELLS]).reshape(SAMPLES, 2, CELLS / 2);
      TrainingException three =
          assertThrows(
              TrainingException.class,
              () -> classes.mean(map(random(SAMPLES * 3 * CELLS, 1)), samples(numbers, null)));
      assertTrue(three.getMessage().contains("there are 3 classes"), three::getMessage);
    }
  }
}
