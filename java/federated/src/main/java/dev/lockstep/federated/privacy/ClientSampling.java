package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;

/**
 * How the clients of a round are drawn. The same value draws them and is accounted for, so that the
 * theorem is always that of the run.
 *
 * <p>Amplification by sampling holds only while nobody who sees the model knows who was drawn: the
 * key of {@link #draw} is as secret as that of the noise.
 *
 * @param sampler the distribution of the drawn set
 * @param population clients there are
 * @param expectedSize clients in a round, in expectation; a whole number for {@link
 *     Sampler#FIXED_SIZE}
 */
public record ClientSampling(Sampler sampler, int population, double expectedSize) {
  /** Distributions of the drawn set. */
  public enum Sampler {
    /**
     * Each client on its own with the same probability; neighbouring populations differ by one
     * client more or less, so the clipped sum by at most the clipping norm.
     */
    POISSON(1),
    /**
     * A uniformly drawn set of fixed size; neighbouring populations differ in one client's data, so
     * the clipped sum by at most twice the clipping norm.
     */
    FIXED_SIZE(2);

    private final int normsApart;

    Sampler(int normsApart) {
      this.normsApart = normsApart;
    }

    /** How many clipping norms the sums of neighbouring populations are apart at most. */
    public int normsApart() {
      return normsApart;
    }
  }

  /**
   * @throws IllegalArgumentException for a size that the population does not have, or for a size
   *     that is not whole where it is fixed
   */
  public ClientSampling {
    requireNonNull(sampler, "sampler");
    if (population < 1) {
      throw new IllegalArgumentException("population must be at least 1, not " + population);
    }
    if (!(expectedSize > 0 && expectedSize <= population)) {
      throw new IllegalArgumentException(
          "expectedSize must be above 0 and at most " + population + ", not " + expectedSize);
    }
    if (sampler == Sampler.FIXED_SIZE && expectedSize != Math.rint(expectedSize)) {
      throw new IllegalArgumentException(
          "expectedSize must be whole for a fixed size, not " + expectedSize);
    }
  }

  /** Each client with probability {@code expectedSize / population}. */
  public static ClientSampling poisson(int population, double expectedSize) {
    return new ClientSampling(Sampler.POISSON, population, expectedSize);
  }

  /** A set of {@code size} different clients. */
  public static ClientSampling fixedSize(int population, int size) {
    return new ClientSampling(Sampler.FIXED_SIZE, population, size);
  }

  /** The probability with which a client is drawn. */
  public double rate() {
    return expectedSize / population;
  }

  /**
   * The clients of a round, ascending, from 0; under {@link Sampler#POISSON} maybe none. The same
   * for the same key and round.
   */
  public int[] draw(NoiseKey key, long round) {
    KeyedStream stream = requireNonNull(key, "key").stream(NoiseKey.Purpose.SAMPLING, round);
    int[] clients = new int[population];
    Arrays.setAll(clients, i -> i);
    if (sampler == Sampler.POISSON) {
      double rate = rate();
      return Arrays.stream(clients).filter(i -> stream.nextDouble() < rate).toArray();
    }
    int size = (int) expectedSize;
    for (int i = 0; i < size; i++) { // Fisher and Yates, of which only the front is needed
      int j = i + (int) stream.nextBelow(population - i);
      int client = clients[j];
      clients[j] = clients[i];
      clients[i] = client;
    }
    int[] drawn = Arrays.copyOf(clients, size);
    Arrays.sort(drawn);
    return drawn;
  }
}
