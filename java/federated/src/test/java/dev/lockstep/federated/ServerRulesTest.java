package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.federated.aggregation.FixedPointSum;
import dev.lockstep.federated.aggregation.RobustAggregation;
import dev.lockstep.federated.aggregation.ServerOptimizer;
import dev.lockstep.federated.config.AggregationConfig;
import dev.lockstep.federated.config.AggregationConfig.Rule;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.config.SecureAggregationConfig;
import dev.lockstep.federated.config.ServerOptimizerConfig;
import dev.lockstep.federated.config.ServerOptimizerConfig.Type;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.train.OptimizerConfig;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a server makes of changes, against the papers' formulae worked out by hand. */
class ServerRulesTest {
  private static double[] afterTwoSteps(Type type) {
    ServerOptimizer optimizer =
        new ServerOptimizer(ServerOptimizerConfig.of(type, 0.1, 0.5, 0.9, 0.01, null), 2);
    double[] model = {1, 2};
    optimizer.step(model, new double[] {0.2, -0.4});
    optimizer.step(model, new double[] {0.1, 0.3});
    return model;
  }

  /** Kingma and Ba 2015, algorithm 1 in the form at the end of their section 2. */
  @Test
  void adamWithACorrectedBiasIsThatOfKingmaAndBa() {
    ServerOptimizer optimizer =
        new ServerOptimizer(ServerOptimizerConfig.of(Type.ADAM, 0.1, 0.5, 0.9, 0.01, true), 1);
    double[] model = {1};
    optimizer.step(model, new double[] {0.2});
    // m = 0.1 and v = 0.004; the rate is 0.1 sqrt(0.1) / 0.5.
    double first = 1 + 0.1 * Math.sqrt(0.1) / 0.5 * 0.1 / (Math.sqrt(0.004) + 0.01);
    assertEquals(first, model[0], 1e-15);
    optimizer.step(model, new double[] {-0.1});
    // m = 0.05 - 0.05 = 0: the model stays.
    assertEquals(first, model[0], 1e-15);
    optimizer.step(model, new double[] {0.3});
    double v = 0.9 * (0.9 * 0.004 + 0.1 * 0.01) + 0.1 * 0.09;
    double rate = 0.1 * Math.sqrt(1 - 0.729) / (1 - 0.125);
    assertEquals(first + rate * 0.15 / (Math.sqrt(v) + 0.01), model[0], 1e-15);
  }

  /** A sum of fewer than the minimum would be one that nobody has agreed to. */
  @Test
  void aSecureSumNeedsTheShareOfClientsMoreThanHalfAndTheMinimum() {
    SecureAggregationConfig config = SecureAggregationConfig.of(0.6, 5, null, null);
    assertEquals(5, config.thresholdOf(6), "the minimum, though 0.6 of 6 are 4");
    assertEquals(12, config.thresholdOf(20), "0.6 of 20");
    assertEquals(7, SecureAggregationConfig.of(0.51, 3, null, null).thresholdOf(12), "half of 12");
  }

  @Test
  void averageAndMomentumAreTheirFormulae() {
    assertArrayEquals(new double[] {1.03, 1.99}, afterTwoSteps(Type.AVERAGE), 1e-15);
    // m: 0.2, -0.4; then 0.5 m + delta = 0.2, 0.1.
    assertArrayEquals(new double[] {1.04, 1.97}, afterTwoSteps(Type.MOMENTUM), 1e-15);
  }

  /** Reddi et al. 2021, algorithm 2: no correction of the bias, v begins as tau squared. */
  @Test
  void theAdaptiveOnesAreAlgorithmTwoOfTheirPaper() {
    double[] m = {0.1, -0.2};
    double[] later = {0.5 * m[0] + 0.05, 0.5 * m[1] + 0.15};
    for (Type type : List.of(Type.ADAGRAD, Type.ADAM, Type.YOGI)) {
      double[] expected = {1, 2};
      double[][] deltas = {{0.2, -0.4}, {0.1, 0.3}};
      double[][] means = {m, later};
      double[] v = {1e-4, 1e-4};
      for (int step = 0; step < 2; step++) {
        for (int i = 0; i < 2; i++) {
          double square = deltas[step][i] * deltas[step][i];
          v[i] =
              switch (type) {
                case ADAGRAD -> v[i] + square;
                case ADAM -> 0.9 * v[i] + 0.1 * square;
                default -> v[i] - 0.1 * square * Math.signum(v[i] - square);
              };
          expected[i] += 0.1 * means[step][i] / (Math.sqrt(v[i]) + 0.01);
        }
      }
      assertArrayEquals(expected, afterTwoSteps(type), 1e-14, type.toString());
    }
  }

  private static double[] combine(Rule rule, int faulty, double[]... changes) {
    AggregationConfig config = AggregationConfig.of(rule, faulty, 1.0, null);
    return new RobustAggregation(config, changes[0].length).combine(List.of(changes));
  }

  @Test
  void theMedianAndTheTrimmedMeanAreOfEachCoordinate() {
    double[][] changes = {{1, 40}, {2, 10}, {300, 30}, {4, -20}, {5, 0}};
    assertArrayEquals(new double[] {4, 10}, combine(Rule.MEDIAN, 0, changes));
    assertArrayEquals(
        new double[] {11.0 / 3, 40.0 / 3}, combine(Rule.TRIMMED_MEAN, 1, changes), 1e-14);
    assertArrayEquals(
        new double[] {3, 15}, combine(Rule.MEDIAN, 0, new double[] {2, 10}, new double[] {4, 20}));
  }

  @Test
  void krumTakesTheOneInTheMiddleOfTheOthers() {
    double[][] changes = {{0, 0}, {0.1, 0}, {0, 0.1}, {0.1, 0.1}, {0.05, 0.05}, {50, -50}};
    assertArrayEquals(new double[] {0.05, 0.05}, combine(Rule.KRUM, 1, changes));
    assertArrayEquals(new double[] {0.05, 0.05}, combine(Rule.MULTI_KRUM, 1, changes), 1e-15);
  }

  @Test
  void theGeometricMedianOfAnEqualTriangleIsItsCentre() {
    double height = Math.sqrt(3) / 2;
    double[] median =
        combine(
            Rule.GEOMETRIC_MEDIAN,
            0,
            new double[] {0, 0},
            new double[] {1, 0},
            new double[] {0.5, height});
    assertArrayEquals(new double[] {0.5, height / 3}, median, 1e-9);
    double[] outlier =
        combine(
            Rule.GEOMETRIC_MEDIAN,
            0,
            new double[] {0, 0},
            new double[] {0, 0},
            new double[] {0, 0},
            new double[] {900, 0});
    assertArrayEquals(new double[] {0, 0}, outlier, 1e-3);
  }

  @Test
  void centeredClippingMovesByAtMostItsRadius() {
    AggregationConfig config = AggregationConfig.of(Rule.CENTERED_CLIPPING, null, 1.0, 1);
    RobustAggregation rule = new RobustAggregation(config, 2);
    double[] first = rule.combine(List.of(new double[] {30, 40}, new double[] {0.5, 0}));
    assertArrayEquals(new double[] {(0.6 + 0.5) / 2, 0.4}, first, 1e-15);
    double[] second = rule.combine(List.of(first, first));
    assertArrayEquals(first, second, 1e-15);
  }

  @ParameterizedTest
  @EnumSource(
      value = Rule.class,
      names = {"MEDIAN", "TRIMMED_MEAN", "KRUM", "MULTI_KRUM", "GEOMETRIC_MEDIAN"})
  void oneClientOfNineMovesNoRuleFar(Rule rule) {
    Random random = new Random(3);
    double[][] changes = new double[9][20];
    for (double[] change : changes) {
      for (int i = 0; i < change.length; i++) {
        change[i] = 1 + 0.1 * random.nextGaussian();
      }
    }
    java.util.Arrays.fill(changes[4], 1e6);
    for (double value : combine(rule, 1, changes)) {
      assertEquals(1, value, 0.4);
    }
  }

  /** Wang et al. 2020: how often each gradient of K steps with momentum is in the sum of steps. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 0.9})
  void fednovaCountsHowMuchEachGradientMoves(double momentum) {
    OptimizerConfig optimizer =
        OptimizerConfig.of(
            OptimizerConfig.Type.SGD, 0.1, momentum, null, null, null, null, null, null);
    FederationPlan plan =
        new FederationPlan(
            0,
            1,
            ModelConfig.defaults(),
            optimizer,
            FederationConfig.of(
                1, 2, null, null, null, null, null, null, null, null, null, null, null, null, null,
                null, null, null, null, null, null, null, null, null));
    double moved = 0;
    double velocity = 0;
    for (int step = 0; step < 7; step++) {
      velocity = momentum * velocity + 1;
      moved += velocity;
    }
    assertEquals(moved, plan.effectiveSteps(7), 1e-12);
  }

  @Test
  void aSumInFixedPointHasTheSameBitsInAnyOrder() {
    Random random = new Random(9);
    double[][] vectors = new double[40][50];
    for (double[] vector : vectors) {
      for (int i = 0; i < vector.length; i++) {
        vector[i] = random.nextGaussian() * Math.exp(2 * random.nextGaussian());
      }
    }
    FixedPointSum forward = new FixedPointSum(50);
    FixedPointSum backward = new FixedPointSum(50);
    IntStream.range(0, 40).forEach(k -> forward.add(1 / 40.0, vectors[k]));
    IntStream.range(0, 40).forEach(k -> backward.add(1 / 40.0, vectors[39 - k]));
    assertArrayEquals(forward.times(1), backward.times(1), 0);
    double[] sum = forward.times(40);
    for (int i = 0; i < sum.length; i++) {
      int column = i;
      double expected = IntStream.range(0, 40).mapToDouble(k -> vectors[k][column]).sum();
      assertTrue(Math.abs(expected - sum[i]) < 1e-11, expected + " " + sum[i]);
    }
  }
}
