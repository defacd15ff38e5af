package dev.lockstep.train.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GradientNoiseTest {
  private static final int FEATURES = 20;
  private static final int STEPS = 200;
  private static final int SAMPLES_OF_A_RANK = 32;

  @Test
  void oneMeasurementIsTheUnbiasedPairOfMcCandlish() {
    // B = 64, b = 32: |G|² = (64·3 − 32·5) ÷ 32 = 1, S = (5 − 3) ÷ (1/32 − 1/64) = 128.
    GradientNoise noise = new GradientNoise();
    noise.add(3, 64, 5, 1.0 / 32);
    assertEquals(128, noise.scale(), 1e-12);
    assertEquals(1, noise.measured());
  }

  @Test
  void averagesAreDividedAndNotRatiosAveraged() {
    GradientNoise noise = new GradientNoise();
    // |G|² and S: 1 and 128, then 3 and 64.
    noise.add(3, 64, 5, 1.0 / 32);
    noise.add(4, 64, 5, 1.0 / 32);
    assertEquals((0.99 * 128 + 64) / (0.99 * 1 + 3), noise.scale(), 1e-9);
    noise.add(50, 64, 300, 1.0 / 32);
    assertEquals(Double.POSITIVE_INFINITY, noise.scale(), "noise hides the gradient");
    noise.add(500, 64, 3, 1.0 / 32);
    assertTrue(Double.isNaN(noise.scale()), "a negative variance says nothing");
  }

  @Test
  void ranksOfUnequalSharesCountByTheirInverseSamples() {
    // |G|² = 2, S = 60: parts of 10 and 30 samples have 8 and 4, all 40 together 3.5.
    GradientNoise noise = new GradientNoise();
    noise.add(3.5, 40, (8 + 4) / 2.0, (1.0 / 10 + 1.0 / 30) / 2);
    assertEquals(30, noise.scale(), 1e-12);
  }

  @Test
  void whatIsSavedGoesOnAlike() {
    GradientNoise one = new GradientNoise();
    one.add(3, 64, 5, 1.0 / 32);
    GradientNoise other = new GradientNoise();
    other.restore(one.saved());
    one.add(2.5, 64, 4, 1.0 / 32);
    other.add(2.5, 64, 4, 1.0 / 32);
    assertEquals(one.saved(), other.saved());
  }

  /**
   * Linear regression with normal features, at a distance of 1 from the solution: a sample's
   * gradient is (x·d − e) x, and E|g|² = (n + 2)|d|² + n σ², so that S ÷ |G|² = n + 1 + n σ².
   */
  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void linearRegressionComesWithinFivePercentIn200Steps(int ranks) {
    double variance = 1.405;
    double exact = FEATURES + 1 + FEATURES * variance;
    double[] errors = new double[21];
    for (int seed = 0; seed < errors.length; seed++) {
      errors[seed] = Math.abs(measured(ranks, variance, new Random(seed)) / exact - 1);
    }
    Arrays.sort(errors);
    assertTrue(errors[errors.length / 2] < 0.05, "median error " + errors[errors.length / 2]);
  }

  private static double measured(int ranks, double variance, Random random) {
    GradientNoise noise = new GradientNoise();
    for (int step = 0; step < STEPS; step++) {
      double[] joint = new double[FEATURES];
      double parts = 0;
      for (int rank = 0; rank < ranks; rank++) {
        double[] own = gradient(variance, random);
        parts += squares(own) / ranks;
        for (int i = 0; i < FEATURES; i++) {
          joint[i] += own[i] / ranks;
        }
      }
      double samples = (double) ranks * SAMPLES_OF_A_RANK;
      noise.add(squares(joint), samples, parts, 1.0 / SAMPLES_OF_A_RANK);
    }
    return noise.scale();
  }

  /** The mean gradient of a rank's samples; the first coordinate is 1 away from the solution. */
  private static double[] gradient(double variance, Random random) {
    double[] mean = new double[FEATURES];
    for (int sample = 0; sample < SAMPLES_OF_A_RANK; sample++) {
      double[] x = new double[FEATURES];
      Arrays.setAll(x, i -> random.nextGaussian());
      double residual = x[0] - Math.sqrt(variance) * random.nextGaussian();
      for (int i = 0; i < FEATURES; i++) {
        mean[i] += residual * x[i] / SAMPLES_OF_A_RANK;
      }
    }
    return mean;
  }

  private static double squares(double[] vector) {
    return Arrays.stream(vector).map(x -> x * x).sum();
  }
}
