package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import dev.lockstep.federated.privacy.ClientSampling.Sampler;
import java.util.Arrays;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/**
 * Adds up what rounds tell about one client, as Rényi differential privacy of many orders (Mironov
 * 2017), and converts the sum to (ε, δ). Immutable.
 *
 * <p>Privacy is that of a client as a whole, not of a sample of its. Which neighbouring populations
 * it speaks of depends on the sampler, see {@link Sampler}; rounds of both cannot be added up.
 */
public final class RenyiAccountant {
  /** The orders of dp-accounting 0.6.0: 1.1 to 10.9 by tenths, 11 to 63, 128, 256, 512, 1024. */
  private static final double[] DEFAULT_ORDERS =
      DoubleStream.concat(
              DoubleStream.iterate(1, x -> x < 100, x -> x + 1).map(x -> 1 + x / 10),
              DoubleStream.concat(
                  DoubleStream.iterate(11, x -> x < 64, x -> x + 1),
                  DoubleStream.of(128, 256, 512, 1024)))
          .toArray();

  /** The tight conversion is not stable nearer to 1, and of no use there. */
  private static final double LOWEST_TIGHT_ORDER = 1.01;

  private static final double MAX_NOISE = 1e6;

  private final double[] orders;
  private final double[] divergences;
  private final @Nullable Sampler sampler; // of the rounds so far, if there were any

  private RenyiAccountant(double[] orders, double[] divergences, @Nullable Sampler sampler) {
    this.orders = orders;
    this.divergences = divergences;
    this.sampler = sampler;
  }

  /** Of no rounds yet, with the orders that dp-accounting takes. */
  public static RenyiAccountant create() {
    return new RenyiAccountant(DEFAULT_ORDERS, new double[DEFAULT_ORDERS.length], null);
  }

  /**
   * Of no rounds yet, with these orders.
   *
   * @throws IllegalArgumentException unless there is one, and all are finite and above 1
   */
  public static RenyiAccountant withOrders(double... orders) {
    requireNonNull(orders, "orders");
    boolean valid = Arrays.stream(orders).allMatch(a -> a > 1 && Double.isFinite(a));
    if (orders.length == 0 || !valid) {
      throw new IllegalArgumentException(
          "orders must be some above 1, not " + Arrays.toString(orders));
    }
    return new RenyiAccountant(orders.clone(), new double[orders.length], null);
  }

  /**
   * With rounds more. The divergences of rounds add up (Mironov 2017, proposition 1), whatever a
   * round depends on of those before.
   *
   * @param noiseMultiplier the standard deviation of the noise on the sum over the clipping norm; 0
   *     for none, which has no privacy
   * @throws IllegalArgumentException for a negative or not finite number, or another sampler than
   *     that of the rounds before
   */
  public RenyiAccountant plus(ClientSampling sampling, double noiseMultiplier, long rounds) {
    requireNonNull(sampling, "sampling");
    checkNoise(noiseMultiplier);
    if (rounds < 0) {
      throw new IllegalArgumentException("rounds must be at least 0, not " + rounds);
    }
    if (rounds == 0) {
      return this;
    }
    if (sampler != null) {
      checkSampler(sampler, sampling.sampler());
    }
    double sigma = noiseMultiplier / sampling.sampler().normsApart();
    SampledGaussian round = new SampledGaussian(sampling.sampler(), sampling.rate(), sigma);
    double[] sum = divergences.clone();
    for (int i = 0; i < orders.length; i++) {
      sum[i] += rounds * round.divergence(orders[i]);
    }
    return new RenyiAccountant(orders, sum, sampling.sampler());
  }

  static void checkSampler(Sampler before, Sampler added) {
    if (before != added) {
      throw new IllegalArgumentException(
          "Rounds with the sampler "
              + added
              + " cannot be added to those with "
              + before
              + ": their bounds speak of different neighbours. Account for each on its own.");
    }
  }

  static void checkNoise(double noiseMultiplier) {
    if (!(noiseMultiplier >= 0 && noiseMultiplier <= MAX_NOISE)) {
      throw new IllegalArgumentException(
          "noiseMultiplier must be from 0 to 1e6, not " + noiseMultiplier);
    }
  }

  /**
   * An ε that holds with a δ, at the order that gives the smallest.
   *
   * @param epsilon infinite where there is no noise
   * @param order the order α that gave it
   */
  public record Bound(double epsilon, double order) {}

  /**
   * By the tight conversion: ε = ε(α) + ln((α-1)/α) - (ln δ + ln α)/(α-1), Canonne, Kamath and
   * Steinke 2020, proposition 12, also Balle et al. 2020, theorem 21. Divergences so small that δ
   * alone covers them (Bretagnolle and Huber: δ² ≥ 1 - exp(-KL)) give 0.
   *
   * @param delta the probability with which ε may not hold; below one over the population
   * @throws IllegalArgumentException for a delta not between 0 and 1
   */
  public Bound bound(double delta) {
    checkDelta(delta);
    return best(
        (order, divergence) -> {
          if (delta * delta + Math.expm1(-divergence) > 0) {
            return 0;
          }
          return order <= LOWEST_TIGHT_ORDER
              ? Double.POSITIVE_INFINITY
              : divergence
                  + Math.log1p(-1 / order)
                  - (Math.log(delta) + Math.log(order)) / (order - 1);
        });
  }

  /**
   * By the conversion of Mironov 2017, proposition 3: ε = ε(α) - ln δ/(α-1). Never below {@link
   * #bound}; older papers and programs print it.
   *
   * @throws IllegalArgumentException for a delta not between 0 and 1
   */
  public Bound classicBound(double delta) {
    checkDelta(delta);
    return best((order, divergence) -> divergence - Math.log(delta) / (order - 1));
  }

  private interface Conversion {
    double epsilon(double order, double divergence);
  }

  private Bound best(Conversion conversion) {
    Bound best = new Bound(Double.POSITIVE_INFINITY, orders[0]);
    for (int i = 0; i < orders.length; i++) {
      double epsilon = Math.max(0, conversion.epsilon(orders[i], divergences[i]));
      if (epsilon < best.epsilon()) {
        best = new Bound(epsilon, orders[i]);
      }
    }
    return best;
  }

  private static void checkDelta(double delta) {
    if (!(delta > 0 && delta < 1)) {
      throw new IllegalArgumentException("delta must be above 0 and below 1, not " + delta);
    }
  }

  /**
   * The least noise with which a number of rounds keeps within (ε, δ), rounded up by at most 1e-6
   * of it.
   *
   * @throws IllegalArgumentException where not even a multiplier of 1e6 does
   */
  public static double noiseMultiplierFor(
      ClientSampling sampling, long rounds, double epsilon, double delta) {
    requireNonNull(sampling, "sampling");
    if (!(epsilon > 0)) {
      throw new IllegalArgumentException("epsilon must be above 0, not " + epsilon);
    }
    double enough = 1;
    while (epsilonOf(sampling, rounds, enough, delta) > epsilon) {
      enough *= 2;
      if (enough > MAX_NOISE) {
        throw new IllegalArgumentException(
            "No noise multiplier up to 1e6 gives ε = "
                + epsilon
                + " at δ = "
                + delta
                + " over "
                + rounds
                + " rounds.");
      }
    }
    double tooLittle = enough == 1 ? 0 : enough / 2;
    while (enough - tooLittle > 1e-6 * enough) {
      double middle = (enough + tooLittle) / 2;
      if (epsilonOf(sampling, rounds, middle, delta) > epsilon) {
        tooLittle = middle;
      } else {
        enough = middle;
      }
    }
    return enough;
  }

  private static double epsilonOf(
      ClientSampling sampling, long rounds, double noiseMultiplier, double delta) {
    return create().plus(sampling, noiseMultiplier, rounds).bound(delta).epsilon();
  }
}
