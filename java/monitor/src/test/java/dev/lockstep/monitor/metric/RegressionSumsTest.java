package dev.lockstep.monitor.metric;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RegressionSumsTest {
  private static final double[] ACTUAL = {
    0.5, 1e8 + 1, -1, 1e8 + 2, 7, 1e8 + 6, 2.25, 1e8 + 3, 3, 1e8 + 4
  };
  private static final double[] PREDICTED = {
    0, 1e8 + 2, -1, 1e8 + 2, 8, 1e8 + 5, 2, 1e8 + 3.5, 3.5, 1e8 + 4.25
  };

  /**
   * The numbers are those of scikit-learn 1.9.1: {@code r2_score} and the root of {@code
   * mean_squared_error}.
   */
  @Test
  void scoresAsScikitLearnDoes() {
    RegressionSums sums = new RegressionSums(2);
    sums.add(PREDICTED, ACTUAL);

    assertEquals(5, sums.count());
    assertEquals(0.957425068119891, sums.r2(0), 1e-15);
    assertEquals(0.84375, sums.r2(1), 1e-9);
    assertEquals(0.5590169943749475, sums.rmse(0), 1e-15);
    assertEquals(0.6800735254367721, sums.rmse(1), 1e-15);
  }

  @Test
  void mergesToTheSameScoresHoweverTheSamplesAreDealt() {
    RegressionSums whole = new RegressionSums(2);
    whole.add(PREDICTED, ACTUAL);
    for (int cut = 0; cut <= ACTUAL.length; cut += 2) {
      RegressionSums merged =
          RegressionSums.merged(2, concat(part(0, cut), part(cut, ACTUAL.length), part(0, 0)));

      assertEquals(5, merged.count());
      for (int target = 0; target < 2; target++) {
        assertEquals(whole.r2(target), merged.r2(target), 1e-9, "cut at " + cut);
        assertEquals(whole.rmse(target), merged.rmse(target), 1e-15, "cut at " + cut);
      }
    }
  }

  @Test
  void keepsItsDigitsFarFromZero() {
    long seed = 3;
    Random random = new Random(seed);
    double[] actual = random.doubles(10_000, 0, 1).toArray();
    double[] predicted = Arrays.stream(actual).map(x -> x + 0.1).toArray();
    RegressionSums near = RegressionSums.merged(1, halves(predicted, actual, 0));
    RegressionSums far = RegressionSums.merged(1, halves(predicted, actual, 1e9));

    // E[x²] − E[x]² would have no digit left at 1e9, where doubles are 1e-7 apart.
    assertEquals(near.r2(0), far.r2(0), 1e-6, "seed " + seed);
  }

  @Test
  void scoresConstantTruthsAsScikitLearnDoes() {
    RegressionSums met = new RegressionSums(1);
    met.add(new double[] {2, 2, 2}, new double[] {2, 2, 2});
    assertEquals(1, met.r2(0));

    RegressionSums missed = new RegressionSums(1);
    missed.add(new double[] {2, 2, 3}, new double[] {2, 2, 2});
    assertEquals(0, missed.r2(0));
  }

  @Test
  void hasNoScoreWithoutSamples() {
    RegressionSums none = RegressionSums.merged(2, new double[14]);
    assertEquals(0, none.count());
    assertTrue(Double.isNaN(none.r2(0)) && Double.isNaN(none.rmse(1)));
  }

  @Test
  void mergesInRankOrderToTheSameBits() {
    double[] states = concat(part(0, 4), part(4, 10));
    assertArrayEquals(
        RegressionSums.merged(2, states).state(), RegressionSums.merged(2, states).state());
    assertEquals(7, RegressionSums.merged(2, states).state().length);
  }

  @Test
  void refusesPartsOfSamplesAndOfStates() {
    RegressionSums sums = new RegressionSums(2);
    assertThrows(IllegalArgumentException.class, () -> sums.add(new double[3], new double[3]));
    assertThrows(IllegalArgumentException.class, () -> sums.add(new double[2], new double[4]));
    assertThrows(IllegalArgumentException.class, () -> RegressionSums.merged(2, new double[8]));
    assertThrows(IllegalArgumentException.class, () -> new RegressionSums(0));
  }

  @Test
  void addsAccuracies() {
    AccuracySums sums = new AccuracySums(3, 4).plus(new AccuracySums(0, 2));
    assertEquals(0.5, sums.accuracy());
    assertTrue(Double.isNaN(new AccuracySums(0, 0).accuracy()));
    assertThrows(IllegalArgumentException.class, () -> new AccuracySums(2, 1));
  }

  private static double[] part(int from, int to) {
    RegressionSums sums = new RegressionSums(2);
    sums.add(Arrays.copyOfRange(PREDICTED, from, to), Arrays.copyOfRange(ACTUAL, from, to));
    return sums.state();
  }

  private static double[] halves(double[] predicted, double[] actual, double shift) {
    int middle = actual.length / 3;
    RegressionSums first = new RegressionSums(1);
    RegressionSums second = new RegressionSums(1);
    double[] shiftedPredicted = Arrays.stream(predicted).map(x -> x + shift).toArray();
    double[] shiftedActual = Arrays.stream(actual).map(x -> x + shift).toArray();
    first.add(Arrays.copyOf(shiftedPredicted, middle), Arrays.copyOf(shiftedActual, middle));
    second.add(
        Arrays.copyOfRange(shiftedPredicted, middle, actual.length),
        Arrays.copyOfRange(shiftedActual, middle, actual.length));
    return concat(first.state(), second.state());
  }

  private static double[] concat(double[]... parts) {
    return Arrays.stream(parts).flatMapToDouble(Arrays::stream).toArray();
  }
}
