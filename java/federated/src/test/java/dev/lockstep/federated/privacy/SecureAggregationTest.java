package dev.lockstep.federated.privacy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.federated.privacy.SecureAggregationException.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(300)
class SecureAggregationTest {
  private static final int STAGES = 4;

  /** Each client is lost at one of four stages or never: all 5^n ways. */
  @ParameterizedTest
  @CsvSource({"2, 2", "3, 2", "3, 3", "4, 3"})
  void theSumIsExactForEveryWayToLoseClients(int clients, int threshold) {
    SecureAggregation settings = SecureAggregation.of(clients, 3, 1000).withThreshold(threshold);
    int ways = (int) Math.pow(STAGES + 1, clients);
    int sums = 0;
    for (int way = 0; way < ways; way++) {
      int[] lostAt = new int[clients];
      for (int id = 0, rest = way; id < clients; id++, rest /= STAGES + 1) {
        lostAt[id] = rest % (STAGES + 1);
      }
      sums += check(settings, lostAt, way);
    }
    assertTrue(sums > 0 && sums < ways, sums + " of " + ways);
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 6, 7, 8, 11, 16, 24, 33, 64})
  void theSumIsExactForManyClientsAndAnyThatTheThresholdAllowsToBeLost(int clients) {
    SecureAggregation settings = SecureAggregation.of(clients, 5, 1L << 40);
    for (int trial = 0; trial < Math.max(1, 24 / clients); trial++) {
      Random random = new Random(1000L * clients + trial);
      int lost = trial == 0 ? clients - settings.threshold() : random.nextInt(clients / 3 + 1);
      int[] lostAt = new int[clients];
      Arrays.fill(lostAt, STAGES);
      for (int i = 0; i < lost; i++) {
        lostAt[random.nextInt(clients)] = random.nextInt(STAGES); // some maybe twice
      }
      assertEquals(1, check(settings, lostAt, trial), "seed " + (1000L * clients + trial));
    }
  }

  /** Runs a round; 1 if it had its sum, 0 if it failed as it must. */
  private static int check(SecureAggregation settings, int[] lostAt, long seed) {
    AggregationRound round = new AggregationRound(settings, seed);
    for (int stage = 0; stage < STAGES; stage++) {
      int left = 0;
      List<Integer> lost = new ArrayList<>();
      for (int id = 0; id < lostAt.length; id++) {
        left += lostAt[id] > stage ? 1 : 0;
        if (lostAt[id] == stage) {
          lost.add(id);
        }
      }
      int[] lostNow = lost.stream().mapToInt(Integer::intValue).toArray();
      boolean isEnough = left >= settings.threshold();
      if (!isEnough) {
        int at = stage;
        var thrown =
            assertThrows(
                SecureAggregationException.class,
                () -> {
                  round.stage(lostNow);
                  if (at == STAGES - 1) {
                    round.server.sum();
                  }
                });
        assertEquals(Reason.BELOW_THRESHOLD, thrown.reason());
        assertTrue(thrown.getMessage().contains(left + " of " + lostAt.length + " clients"));
        return 0;
      }
      round.stage(lostNow);
    }
    List<Integer> summed = new ArrayList<>();
    for (int id = 0; id < lostAt.length; id++) {
      if (lostAt[id] > 2) { // whose masked integers arrived, whatever came after
        summed.add(id);
      }
    }
    assertArrayEquals(round.plainSum(summed), round.server.sum(), Arrays.toString(lostAt));
    return 1;
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 16, 24, 32, 40, 48, 56, 64})
  void theSumIsExactForEveryModulusUpToItsLargestInteger(int bits) {
    long most = (bits == 64 ? Long.MAX_VALUE : (1L << (bits - 1)) - 1) / 3;
    SecureAggregation settings = new SecureAggregation(3, 2, 5000, bits, most);
    AggregationRound round = new AggregationRound(settings, bits);
    round.stage();
    round.stage();
    round.stage(1);
    round.stage();
    assertArrayEquals(round.plainSum(List.of(0, 2)), round.server.sum());
  }

  @ParameterizedTest
  @CsvSource({"64, 33554432, 32, 33", "2, 1, 8, 0", "3, 9223372036854775807, 64, 66"})
  void aModulusThatCannotHoldTheSumIsRefusedWithTheOneThatCan(
      int clients, long most, int bits, int needed) {
    int threshold = clients / 2 + 1;
    if (needed == 0) {
      assertEquals(bits, new SecureAggregation(clients, threshold, 1, bits, most).modulusBits());
      return;
    }
    var thrown =
        assertThrows(
            IllegalArgumentException.class,
            () -> new SecureAggregation(clients, threshold, 1, bits, most));
    assertTrue(
        thrown.getMessage().contains("needs a modulus of " + needed + " bits"),
        thrown.getMessage());
  }

  @Test
  void weightedMeansGoThroughTheSum() {
    FixedPoint fixedPoint = new FixedPoint(16, 8, 6000);
    SecureAggregation settings = SecureAggregation.of(3, 4, fixedPoint.maxMagnitude());
    AggregationRound round = new AggregationRound(settings, 1);
    float[][] values = {{1, 2, -8}, {0.5f, -1, 8}, {100, 100, 100}};
    long[] weights = {6000, 3000, 1};
    round.inputs.set(0, fixedPoint.encode(values[0], weights[0]));
    round.inputs.set(1, fixedPoint.encode(values[1], weights[1]));
    round.stage();
    round.stage();
    round.stage(2);
    round.stage();
    float[] mean = fixedPoint.mean(round.server.sum());
    assertArrayEquals(new float[] {2.5f / 3, 1, -8f / 3}, mean, 1e-4f);
    var thrown =
        assertThrows(
            SecureAggregationException.class, () -> fixedPoint.encode(values[2], weights[2]));
    assertEquals(Reason.OUT_OF_RANGE, thrown.reason());
    assertTrue(thrown.getMessage().contains("100.0 at index 0 is outside ±8.0"));
    for (float odd : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
      assertThrows(SecureAggregationException.class, () -> fixedPoint.encode(new float[] {odd}, 1));
    }
    assertThrows(SecureAggregationException.class, () -> fixedPoint.encode(new float[] {1}, 6001));
    assertThrows(IllegalArgumentException.class, () -> new FixedPoint(40, 1e6, 1000));
    assertThrows(IllegalArgumentException.class, () -> fixedPoint.mean(new long[] {5, 0}));
  }

  @Test
  void theSumOfPrivateContributionsIsReleasedAsWithoutMasks() {
    DifferentialPrivacy mechanism =
        DifferentialPrivacy.of(ClientSampling.fixedSize(4, 4), 1, 0.5)
            .withAdaptiveClipping(new AdaptiveClipping(0.5, 0.2, 1));
    SecureAggregation settings =
        SecureAggregation.of(4, mechanism.contributionLength(10), mechanism.maxMagnitude());
    assertEquals(24, settings.modulusBits());
    AggregationRound round = new AggregationRound(settings, 1);
    for (int id = 0; id < 4; id++) {
      float[] update = new float[10];
      Arrays.fill(update, id * 0.1f);
      round.inputs.set(id, mechanism.contribution(update, 0.5));
    }
    for (int stage = 0; stage < STAGES; stage++) {
      round.stage();
    }
    NoiseKey key = NoiseKey.fromPublicSeed(1);
    long[] plain = round.plainSum(List.of(0, 1, 2, 3));
    assertArrayEquals(
        mechanism.release(plain, 0.5, key, 3).mean(),
        mechanism.release(round.server.sum(), 0.5, key, 3).mean());
  }

  /** The masked vector of a client that has nothing but zeros; as a control, the zeros. */
  @Test
  void aMaskedVectorCannotBeToldFromChance() {
    SecureAggregation settings = new SecureAggregation(3, 2, 100_000, 32, 1);
    AggregationRound round = new AggregationRound(settings, 5);
    round.stage();
    round.stage();
    round.inputs.set(1, new long[settings.length()]);
    byte[] masked = round.answer(1);
    byte[] words = Arrays.copyOfRange(masked, Message.HEADER, masked.length);
    assertTrue(probabilityOfUniformBytes(words) > 0.01);
    assertTrue(probabilityOfUniformBytes(new byte[words.length]) < 1e-6);
    byte[] twoHalves = words.clone(); // and no word repeats the one before
    System.arraycopy(words, 4, twoHalves, 0, words.length - 4);
    byte[] differences = new byte[words.length];
    for (int i = 0; i < words.length; i++) {
      differences[i] = (byte) (words[i] ^ twoHalves[i]);
    }
    assertTrue(probabilityOfUniformBytes(Arrays.copyOf(differences, words.length - 4)) > 0.01);
  }

  private static double probabilityOfUniformBytes(byte[] bytes) {
    long[] counts = new long[256];
    double[] expected = new double[256];
    Arrays.fill(expected, bytes.length / 256.0);
    for (byte one : bytes) {
      counts[one & 0xff]++;
    }
    return ChiSquare.probability(counts, expected);
  }

  @Test
  void aClientAloneWithTheSameInputsSendsOtherBytesInEveryRound() {
    SecureAggregation settings = SecureAggregation.of(3, 50, 10);
    TreeSet<String> seen = new TreeSet<>();
    for (int seed = 0; seed < 5; seed++) {
      AggregationRound round = new AggregationRound(settings, seed);
      round.stage();
      round.stage();
      round.inputs.set(0, new long[50]);
      seen.add(Arrays.toString(round.answer(0)));
    }
    assertEquals(5, seen.size());
  }

  /** From the lengths of messages that the small round shows to be the true ones. */
  @Test
  void aRoundOf22MillionParametersTakesAtMostTwiceTheBytesOfPlainOnes() {
    SecureAggregation small = SecureAggregation.of(5, 11, 1 << 20);
    AggregationRound round = new AggregationRound(small, 1);
    long sent = 0;
    long received = 0;
    for (int stage = 0; stage < STAGES; stage++) {
      received += round.inbox.get(2).length;
      for (int id = 0; id < 5; id++) {
        byte[] message = round.answer(id);
        sent += id == 2 ? message.length : 0;
        round.server.receive(id, message);
      }
      if (stage < STAGES - 1) {
        round.inbox = round.server.closeStage();
      }
    }
    assertEquals(small.bytesSent(), sent);
    assertEquals(small.bytesReceived(), received);

    int parameters = 22_000_000;
    long plain = 2 * 4L * parameters; // the model to the client and its update back, as f32
    long model = 4L * parameters;
    for (FixedPoint values : List.of(new FixedPoint(20, 8, 1), new FixedPoint(24, 8, 100_000))) {
      SecureAggregation settings = SecureAggregation.of(64, parameters + 1, values.maxMagnitude());
      long secure = model + settings.bytesSent() + settings.bytesReceived();
      double ratio = (double) secure / plain;
      assertTrue(ratio <= 2, settings.modulusBits() + " bits: " + ratio);
      double update = (settings.bytesSent() + settings.bytesReceived()) / (4.0 * parameters);
      assertTrue(update <= 2, settings.modulusBits() + " bits: " + update);
    }
  }

  @Test
  void resultsOfFewerThanTheThresholdOfSharesTellNothing() {
    byte[] secret = new byte[32];
    Arrays.fill(secret, (byte) 0xff);
    ShamirSharing sharing = new ShamirSharing(secret, 3, new SeededSecureRandom(1));
    var shares = new TreeMap<Integer, byte[]>();
    for (int id : new int[] {0, 5, 63}) {
      shares.put(id, sharing.share(id));
    }
    assertArrayEquals(secret, ShamirSharing.secret(shares).orElseThrow());
    shares.remove(5);
    assertNotEquals(
        Arrays.toString(secret), Arrays.toString(ShamirSharing.secret(shares).orElse(new byte[0])));
    assertTrue(ShamirSharing.PRIME.isProbablePrime(100));
  }
}
