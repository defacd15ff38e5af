package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The Gaussian mechanism on the sum of a round's updates (McMahan, Ramage, Talwar and Zhang 2018,
 * "Learning differentially private recurrent language models"; DP-FedAvg with uniform weights and
 * the fixed denominator). Immutable, thread-safe.
 *
 * <p>Clients and server compute in integers: an update divided by the clipping norm, in steps of
 * {@code 2^-fractionBits}. So a client's length is bounded exactly, sums do not depend on their
 * order, they may be summed by {@link SecureAggregation}, and the noise is {@link RoundedGaussian},
 * which betrays nothing by its digits. All updates weigh the same, for a client's number of samples
 * would be no bound; the sum is divided by the expected, not by the actual number of clients, which
 * would need noise of its own (McMahan et al. 2018, section 3). The guarantee is against those who
 * see what the server publishes; the server itself sees the sum without noise.
 *
 * @param sampling how clients are drawn
 * @param noiseMultiplier z: all that a round publishes costs as much as one sum with noise of
 *     standard deviation z × norm; 0 for clipping without privacy
 * @param clipNorm the length to which updates are shortened, in the first round where it adapts
 * @param fractionBits the grid, from 8 to 28
 * @param adaptiveClipping how the norm adapts; empty for a fixed one
 */
public record DifferentialPrivacy(
    ClientSampling sampling,
    double noiseMultiplier,
    double clipNorm,
    int fractionBits,
    Optional<AdaptiveClipping> adaptiveClipping) {
  private static final int DEFAULT_FRACTION_BITS = 20;

  /** Coordinates that one stream of noise serves. */
  private static final int BLOCK = 1 << 16;

  /**
   * @throws IllegalArgumentException for numbers out of range, or a count of adaptive clipping that
   *     costs the whole budget
   */
  public DifferentialPrivacy {
    requireNonNull(sampling, "sampling");
    requireNonNull(adaptiveClipping, "adaptiveClipping");
    RenyiAccountant.checkNoise(noiseMultiplier);
    checkNorm(clipNorm);
    if (fractionBits < 8 || fractionBits > 28) {
      throw new IllegalArgumentException("fractionBits must be from 8 to 28, not " + fractionBits);
    }
    double update =
        adaptiveClipping.isPresent()
            ? adaptiveClipping.get().updateNoise(noiseMultiplier)
            : noiseMultiplier;
    double count = adaptiveClipping.map(AdaptiveClipping::countNoise).orElse(0.0);
    double most = Math.scalb((double) RoundedGaussian.MAX_SIGMA, -fractionBits);
    if (Math.max(update, count) > most) {
      throw new IllegalArgumentException(
          "With "
              + fractionBits
              + " fraction bits noise may be at most "
              + most
              + ", not "
              + Math.max(update, count)
              + "; take fewer bits.");
    }
  }

  private static void checkNorm(double clipNorm) {
    if (!(clipNorm > 0 && Double.isFinite(clipNorm))) {
      throw new IllegalArgumentException("clipNorm must be above 0, not " + clipNorm);
    }
  }

  /** With a fixed norm, and steps of 2⁻²⁰ of it. */
  public static DifferentialPrivacy of(
      ClientSampling sampling, double noiseMultiplier, double clipNorm) {
    return new DifferentialPrivacy(
        sampling, noiseMultiplier, clipNorm, DEFAULT_FRACTION_BITS, Optional.empty());
  }

  /** The same, with a norm that adapts; the budget stays the same, the update gets more noise. */
  public DifferentialPrivacy withAdaptiveClipping(AdaptiveClipping adaptive) {
    return new DifferentialPrivacy(
        sampling, noiseMultiplier, clipNorm, fractionBits, Optional.of(adaptive));
  }

  /** The same on another grid. */
  public DifferentialPrivacy withFractionBits(int bits) {
    return new DifferentialPrivacy(sampling, noiseMultiplier, clipNorm, bits, adaptiveClipping);
  }

  /** Integers of a contribution for so many parameters: one more for the count, where it adapts. */
  public int contributionLength(int parameters) {
    return parameters + (adaptiveClipping.isPresent() ? 1 : 0);
  }

  /** The largest magnitude in a contribution. */
  public long maxMagnitude() {
    return 1L << fractionBits;
  }

  /**
   * A client's part of the sum: its update, shortened to the norm, and last, where the norm adapts,
   * plus or minus a half for whether it was short enough.
   *
   * <p>The squares of the update's integers sum up to at most {@code 2^(2 fractionBits)}, exactly.
   *
   * @param update what the client would add to the model
   * @param clipNorm the round's norm
   * @throws IllegalArgumentException for values that are not finite; such a client sends nothing
   */
  public long[] contribution(float[] update, double clipNorm) {
    requireNonNull(update, "update");
    checkNorm(clipNorm);
    double norm = norm(update);
    long[] integers = new long[contributionLength(update.length)];
    // Norms of floats and of their quotients round; the integers decide.
    double scale = maxMagnitude() / Math.max(norm, clipNorm);
    double squares = round(update, scale, integers);
    double bound = Math.scalb(1.0, 2 * fractionBits);
    while (squares > bound) {
      scale *= Math.min(Math.sqrt(bound / squares), 1 - 0x1p-30);
      squares = round(update, scale, integers);
    }
    if (adaptiveClipping.isPresent()) {
      integers[update.length] = norm <= clipNorm ? maxMagnitude() / 2 : -maxMagnitude() / 2;
    }
    return integers;
  }

  private static double norm(float[] update) {
    double squares = 0;
    for (int i = 0; i < update.length; i++) {
      if (!Float.isFinite(update[i])) {
        throw new IllegalArgumentException(
            "update has the value " + update[i] + " at index " + i + "; it cannot be clipped.");
      }
      squares += (double) update[i] * update[i];
    }
    return Math.sqrt(squares);
  }

  /** Fills in the nearest integers and returns the sum of their squares, which is exact. */
  private static long round(float[] update, double scale, long[] integers) {
    long squares = 0; // below (2^28 + sqrt(2^31))²
    for (int i = 0; i < update.length; i++) {
      integers[i] = (long) Math.rint(update[i] * scale);
      squares += integers[i] * integers[i];
    }
    return squares;
  }

  /**
   * What a round publishes.
   *
   * @param mean the sum with noise over the expected number of clients
   * @param nextClipNorm the norm of the next round; the same one where it is fixed
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
  public record Release(float[] mean, double nextClipNorm) {}

  /**
   * Adds the noise to a round's sum.
   *
   * @param sum of the contributions of those that answered, maybe of none; not changed
   * @param clipNorm the round's norm
   * @param key from which noise is drawn; with the same key a round is released once, for two
   *     releases with the same noise differ by the sums' difference
   * @param round the number of the round
   */
  public Release release(long[] sum, double clipNorm, NoiseKey key, long round) {
    requireNonNull(sum, "sum");
    requireNonNull(key, "key");
    checkNorm(clipNorm);
    int parameters = sum.length - contributionLength(0);
    if (parameters < 0) {
      throw new IllegalArgumentException("sum lacks the count of updates that are not clipped.");
    }
    double unit = 1 / (maxMagnitude() * sampling.expectedSize());
    float[] mean = new float[parameters];
    long updateSigma = sigma(updateNoise());
    int blocks = (int) (((long) parameters + BLOCK - 1) / BLOCK);
    IntStream.range(0, blocks)
        .parallel()
        .forEach(
            block -> {
              var noise = new RoundedGaussian(noiseStream(key, round, block), updateSigma);
              int end = (int) Math.min(parameters, (block + 1L) * BLOCK);
              for (int i = block * BLOCK; i < end; i++) {
                mean[i] = (float) ((sum[i] + noise.next()) * (unit * clipNorm));
              }
            });
    if (adaptiveClipping.isEmpty()) {
      return new Release(mean, clipNorm);
    }
    AdaptiveClipping adaptive = adaptiveClipping.get();
    var noise = new RoundedGaussian(noiseStream(key, round, blocks), sigma(adaptive.countNoise()));
    double share = 0.5 + (sum[parameters] + noise.next()) * unit;
    return new Release(mean, adaptive.next(clipNorm, share));
  }

  private static KeyedStream noiseStream(NoiseKey key, long round, int block) {
    return key.stream(NoiseKey.Purpose.NOISE, round, block);
  }

  /** The standard deviation of the noise on the update, over the norm. */
  public double updateNoise() {
    return adaptiveClipping.isPresent()
        ? adaptiveClipping.get().updateNoise(noiseMultiplier)
        : noiseMultiplier;
  }

  /** On the grid, rounded up: never less noise than is accounted for. */
  private long sigma(double noise) {
    return (long) Math.ceil(noise * maxMagnitude());
  }
}
