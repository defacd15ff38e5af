package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SplitMix64Test {
  /** The first numbers that Vigna's reference implementation in C gives for this seed. */
  @Test
  void givesTheNumbersOfTheReference() {
    SplitMix64 random = new SplitMix64(1234567);
    assertEquals(6457827717110365317L, random.nextLong());
    assertEquals(3203168211198807973L, random.nextLong());
    assertEquals(Long.parseUnsignedLong("9817491932198370423"), random.nextLong());
  }

  @Test
  void permutesTheSameWayEverywhere() {
    long[] values = LongStream.range(0, 10).toArray();
    new SplitMix64(42).shuffle(values);
    assertArrayEquals(new long[] {3, 8, 4, 2, 9, 5, 7, 1, 0, 6}, values);
  }

  @Test
  void everyPermutationOfThreeIsEquallyLikely() {
    int[] counts = new int[27];
    for (int seed = 0; seed < 6000; seed++) {
      long[] values = {0, 1, 2};
      new SplitMix64(SplitMix64.streamSeed(5, seed)).shuffle(values);
      counts[(int) (values[0] * 9 + values[1] * 3 + values[2])]++;
    }
    int[] seen = Arrays.stream(counts).filter(c -> c > 0).toArray();
    assertEquals(6, seen.length);
    // 1000 each with a standard deviation of 29.
    Arrays.stream(seen).forEach(c -> assertTrue(Math.abs(c - 1000) < 145, Arrays.toString(seen)));
  }

  @Test
  void gaussiansHaveMeanZeroAndVarianceOne() {
    SplitMix64 random = new SplitMix64(3);
    Moments moments = new Moments(1);
    for (int i = 0; i < 100_000; i++) {
      moments.add(new double[] {random.nextGaussian()}, 0);
    }
    assertEquals(0, moments.mean()[0], 0.016);
    assertEquals(1, moments.standardDeviation()[0], 0.012);
  }
}
