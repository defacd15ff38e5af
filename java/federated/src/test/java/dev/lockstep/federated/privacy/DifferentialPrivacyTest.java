package dev.lockstep.federated.privacy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DifferentialPrivacyTest {
  private static final NoiseKey KEY = NoiseKey.fromPublicSeed(11);
  private static final ClientSampling TEN = ClientSampling.poisson(100, 10);

  /** Also on so coarse a grid that rounding to nearest lengthens the vector beyond the norm. */
  @ParameterizedTest
  @CsvSource({"8, 10", "8, 5000", "20, 10", "20, 5000", "28, 5000", "8, 200000"})
  void noContributionIsLongerThanTheNorm(int bits, int parameters) {
    DifferentialPrivacy mechanism = DifferentialPrivacy.of(TEN, 1, 0.7).withFractionBits(bits);
    Random random = new Random(5);
    for (double length : new double[] {1e-30, 0.3, 0.7, 0.7000001, 3, 1e20}) {
      float[] update = new float[parameters];
      IntStream.range(0, parameters)
          .forEach(i -> update[i] = (float) (random.nextGaussian() * length));
      long[] integers = mechanism.contribution(update, 0.7);
      long squares = LongStream.of(integers).map(x -> x * x).sum();
      assertTrue(squares <= 1L << (2 * bits), length + ": " + squares);
    }
  }

  @Test
  void anUpdateShorterThanTheNormKeepsItsValuesAndALongerOneItsDirection() {
    DifferentialPrivacy mechanism = DifferentialPrivacy.of(TEN, 0, 2);
    float[] small = {0.5f, -1, 0.25f};
    assertArrayEquals(small, mean(mechanism, mechanism.contribution(small, 2), 10), 1e-5f);
    assertArrayEquals(
        new float[] {1.2f, -1.6f},
        mean(mechanism, mechanism.contribution(new float[] {30, -40}, 2), 10),
        1e-5f);
    assertArrayEquals(new long[3], mechanism.contribution(new float[3], 2));
  }

  private static float[] mean(DifferentialPrivacy mechanism, long[] one, int times) {
    long[] sum = LongStream.of(one).map(x -> x * times).toArray();
    return mechanism.release(sum, mechanism.clipNorm(), KEY, 0).mean();
  }

  @Test
  void theDenominatorIsTheExpectedNumberWhoeverAnswers() {
    DifferentialPrivacy mechanism = DifferentialPrivacy.of(TEN, 0, 1);
    long[] one = mechanism.contribution(new float[] {0.5f}, 1);
    assertEquals(0.05f, mean(mechanism, one, 1)[0], 1e-6f);
    assertEquals(0.15f, mean(mechanism, one, 3)[0], 1e-6f);
  }

  @Test
  void noiseOnTheMeanHasTheStandardDeviationThatIsAccountedFor() {
    int parameters = 150_000; // three blocks
    DifferentialPrivacy mechanism = DifferentialPrivacy.of(TEN, 1.5, 0.2);
    float[] mean = mechanism.release(new long[parameters], 0.2, KEY, 3).mean();
    double square = IntStream.range(0, parameters).mapToDouble(i -> mean[i] * mean[i]).sum();
    double expected = 1.5 * 0.2 / 10;
    double error = 4 / Math.sqrt(2.0 * parameters);
    assertEquals(1, Math.sqrt(square / parameters) / expected, error);
  }

  @Test
  void aRoundHasTheSameNoiseAgainAndTheNextRoundOther() {
    DifferentialPrivacy mechanism = DifferentialPrivacy.of(TEN, 1, 1);
    long[] sum = new long[70_000];
    float[] mean = mechanism.release(sum, 1, KEY, 3).mean();
    assertArrayEquals(mean, mechanism.release(sum, 1, KEY, 3).mean());
    float[] next = mechanism.release(sum, 1, KEY, 4).mean();
    assertTrue(IntStream.range(0, sum.length).filter(i -> mean[i] == next[i]).count() < 10);
  }

  @Test
  void theNormFollowsTheQuantileOfTheUpdatesNorms() {
    ClientSampling all = ClientSampling.fixedSize(100, 100);
    DifferentialPrivacy mechanism =
        DifferentialPrivacy.of(all, 1, 10).withAdaptiveClipping(new AdaptiveClipping(0.8, 0.2, 5));
    double norm = 10;
    for (int round = 0; round < 150; round++) {
      long[] sum = new long[mechanism.contributionLength(1)];
      for (int client = 0; client < 100; client++) {
        long[] one = mechanism.contribution(new float[] {(client + 0.5f) / 100}, norm);
        Arrays.setAll(sum, i -> sum[i] + one[i]);
      }
      norm = mechanism.release(sum, norm, KEY, round).nextClipNorm();
    }
    assertEquals(0.8, norm, 0.05);
  }

  /** Andrew et al. 2021, theorem 1: z = 1, σ_b = 5 leaves (1 - 1/100)^(-1/2) for the update. */
  @Test
  void theCountOfAdaptiveClippingIsPaidByMoreNoiseOnTheUpdate() {
    DifferentialPrivacy mechanism =
        DifferentialPrivacy.of(TEN, 1, 1).withAdaptiveClipping(new AdaptiveClipping(0.5, 0.2, 5));
    assertEquals(1.00503781525921, mechanism.updateNoise(), 1e-12);
    double together =
        RenyiAccountant.create()
            .plus(ClientSampling.poisson(10, 10), mechanism.updateNoise(), 1)
            .plus(ClientSampling.poisson(10, 10), 2 * 5, 1)
            .bound(1e-5)
            .epsilon();
    double whole =
        RenyiAccountant.create()
            .plus(ClientSampling.poisson(10, 10), mechanism.noiseMultiplier(), 1)
            .bound(1e-5)
            .epsilon();
    assertEquals(whole, together, 1e-9);
  }

  @Test
  void samplesHaveTheirSizeAndEveryClientIsDrawnAlike() {
    ClientSampling fixed = ClientSampling.fixedSize(20, 5);
    ClientSampling poisson = ClientSampling.poisson(20, 5);
    long[] counts = new long[20];
    long[] sizes = new long[2];
    int rounds = 4000;
    for (int round = 0; round < rounds; round++) {
      int[] drawn = fixed.draw(KEY, round);
      assertEquals(5, Arrays.stream(drawn).distinct().count());
      Arrays.stream(drawn).forEach(client -> counts[client]++);
      int size = poisson.draw(KEY, round).length;
      sizes[0] += size;
      sizes[1] += (long) size * size;
    }
    for (long count : counts) {
      assertEquals(rounds / 4.0, count, 4 * Math.sqrt(rounds * 0.25 * 0.75));
    }
    double mean = (double) sizes[0] / rounds;
    assertEquals(5, mean, 4 * Math.sqrt(20 * 0.25 * 0.75 / rounds));
    assertEquals(20 * 0.25 * 0.75, (double) sizes[1] / rounds - mean * mean, 0.4);
    assertArrayEquals(fixed.draw(KEY, 9), fixed.draw(KEY, 9));
  }

  @Test
  void refusesWhatCannotBe() {
    refused(() -> DifferentialPrivacy.of(TEN, 1, 0), "clipNorm");
    refused(() -> DifferentialPrivacy.of(TEN, -1, 1), "noiseMultiplier");
    refused(() -> DifferentialPrivacy.of(TEN, 1, 1).withFractionBits(29), "fractionBits");
    refused(() -> DifferentialPrivacy.of(TEN, 5, 1).withFractionBits(28), "take fewer bits");
    refused(
        () ->
            DifferentialPrivacy.of(TEN, 1, 1)
                .withAdaptiveClipping(new AdaptiveClipping(0.5, 0.2, 0.5)),
        "countNoise must be above 0.5");
    DifferentialPrivacy mechanism = DifferentialPrivacy.of(TEN, 1, 1);
    refused(() -> mechanism.contribution(new float[] {1, Float.NaN}, 1), "NaN at index 1");
    refused(() -> NoiseKey.of(new byte[31]), "32");
  }

  private static void refused(Runnable call, String part) {
    var thrown = assertThrows(IllegalArgumentException.class, call::run);
    assertTrue(thrown.getMessage().contains(part), thrown.getMessage());
  }
}
