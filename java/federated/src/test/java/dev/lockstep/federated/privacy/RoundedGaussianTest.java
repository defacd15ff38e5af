package dev.lockstep.federated.privacy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoundedGaussianTest {
  private static final int SAMPLES = 200_000;

  /** Digits of one or two bits make every comparison and every rounding draw further digits. */
  @ParameterizedTest
  @CsvSource({"1, 32", "1, 1", "3, 32", "3, 2", "40, 32", "40, 5"})
  void integersHaveTheShareOfRealNumbersNextToThem(int sigma, int digitBits) {
    int reach = 3 * sigma; // beyond are the two open cells
    long[] counts = new long[2 * reach + 3];
    RoundedGaussian noise = new RoundedGaussian(stream(7), sigma, digitBits);
    for (int i = 0; i < SAMPLES; i++) {
      long value = Math.max(-reach - 1, Math.min(reach + 1, noise.next()));
      counts[(int) value + reach + 1]++;
    }
    double[] expected = new double[counts.length];
    for (int i = 0; i < counts.length; i++) {
      double from = i == 0 ? 0 : below((i - reach - 1.5) / sigma);
      double to = i == counts.length - 1 ? 1 : below((i - reach - 0.5) / sigma);
      expected[i] = SAMPLES * (to - from);
    }
    double probability = ChiSquare.probability(counts, expected);
    assertTrue(probability > 0.01, "p = " + probability);
  }

  private static double below(double x) {
    return Math.exp(LogErfc.of(-x / Math.sqrt(2))) / 2;
  }

  @Test
  void theLargestSigmaHasMomentsOfANormalDistribution() {
    RoundedGaussian noise = new RoundedGaussian(stream(8), RoundedGaussian.MAX_SIGMA);
    double mean = 0;
    double square = 0;
    double fourth = 0;
    for (int i = 0; i < SAMPLES; i++) {
      double z = (double) noise.next() / RoundedGaussian.MAX_SIGMA;
      mean += z / SAMPLES;
      square += z * z / SAMPLES;
      fourth += z * z * z * z / SAMPLES;
    }
    double error = 1 / Math.sqrt(SAMPLES); // of the mean; four of them each
    assertEquals(0, mean, 4 * error);
    assertEquals(1, square, 4 * Math.sqrt(2) * error);
    assertEquals(3, fourth, 4 * Math.sqrt(96) * error);
  }

  @Test
  void theSameKeyAndRoundGiveTheSameNumbersAndOthersGiveOthers() {
    long[] first = numbers(1, 0);
    assertArrayEquals(first, numbers(1, 0));
    for (long[] other : new long[][] {numbers(2, 0), numbers(1, 1)}) {
      long equal = IntStream.range(0, first.length).filter(i -> first[i] == other[i]).count();
      assertTrue(equal < 3, "equal " + equal);
    }
  }

  private static long[] numbers(long seed, long round) {
    KeyedStream stream = NoiseKey.fromPublicSeed(seed).stream(NoiseKey.Purpose.NOISE, round);
    RoundedGaussian noise = new RoundedGaussian(stream, 1 << 20);
    return IntStream.range(0, 1000).mapToLong(i -> noise.next()).toArray();
  }

  private static KeyedStream stream(long seed) {
    return NoiseKey.fromPublicSeed(seed).stream(NoiseKey.Purpose.NOISE, 0);
  }
}
