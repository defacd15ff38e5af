package dev.lockstep.federated.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.federated.privacy.ClientSampling.Sampler;
import dev.lockstep.federated.privacy.RenyiAccountant.Bound;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RenyiAccountantTest {
  private static final double[] WHOLE_ORDERS =
      DoubleStream.iterate(2, x -> x < 512, x -> x + 1).toArray();

  /** Printed by accountant_settings.py (dp-accounting 0.6.0), among the test's resources. */
  @ParameterizedTest
  @CsvSource({
    "POISSON, 60000, 256, 1.12, 14062, 1e-05, 2.5185897836275464, 8.3",
    "POISSON, 60000, 256, 1.3, 3515, 1e-05, 0.9544295087299243, 17.0",
    "POISSON, 1000, 10, 1.0, 1000, 1e-05, 2.101366525420273, 7.8",
    "POISSON, 1000, 100, 1.0, 100, 1e-05, 7.903850223578231, 3.2",
    "POISSON, 1000, 100, 0.8, 50, 0.001, 6.414371095246517, 2.5",
    "POISSON, 10, 2, 1.0, 50, 0.01, 6.476036256753138, 2.1",
    "POISSON, 1000000, 1000, 0.6, 10000, 1e-07, 4.668864601155169, 4.5",
    "POISSON, 1000, 1000, 5.0, 1, 1e-05, 0.794522032537103, 22.0",
    "FIXED_SIZE, 10000, 100, 2.0, 1000, 1e-05, 3.576111482350549, 6.0",
    "FIXED_SIZE, 1000, 100, 4.0, 100, 0.0001, 4.752033065466327, 4.0",
    "FIXED_SIZE, 1000000, 1000, 1.6, 5000, 1e-07, 2.090076468224083, 8.0",
    "FIXED_SIZE, 100, 100, 20.0, 10, 0.001, 0.9045354911081396, 10.5"
  })
  void agreesWithDpAccounting(
      Sampler sampler,
      int population,
      double clients,
      double noise,
      long rounds,
      double delta,
      double epsilon,
      double order) {
    ClientSampling sampling = new ClientSampling(sampler, population, clients);
    Bound bound = RenyiAccountant.create().plus(sampling, noise, rounds).bound(delta);
    assertEquals(epsilon, bound.epsilon(), 1e-6 * epsilon);
    assertEquals(order, bound.order(), 1e-9);
  }

  /**
   * With whole orders alone. The first classic figure is 2.92 at order 9 in the tutorial of
   * TensorFlow Privacy on MNIST.
   */
  @ParameterizedTest
  @CsvSource({
    "60000, 256, 1.12, 14062, 2.9222, 9, 2.5215, 8",
    "100, 1, 1.0, 1000, 2.5383, 8, 2.1078, 8",
    "10, 1, 1.0, 100, 8.9277, 3, 7.9729, 3",
    "10, 10, 5.0, 1, 0.9797, 25, 0.7945, 22"
  })
  void knownFiguresOfWholeOrders(
      int population,
      double clients,
      double noise,
      long rounds,
      double classic,
      double classicOrder,
      double tight,
      double tightOrder) {
    ClientSampling sampling = ClientSampling.poisson(population, clients);
    RenyiAccountant sum = RenyiAccountant.withOrders(WHOLE_ORDERS).plus(sampling, noise, rounds);
    assertEquals(classic, sum.classicBound(1e-5).epsilon(), 5e-5);
    assertEquals(classicOrder, sum.classicBound(1e-5).order());
    assertEquals(tight, sum.bound(1e-5).epsilon(), 5e-5);
    assertEquals(tightOrder, sum.bound(1e-5).order());
  }

  @Test
  void roundsAddUp() {
    ClientSampling sampling = ClientSampling.poisson(1000, 100);
    RenyiAccountant atOnce = RenyiAccountant.create().plus(sampling, 1.5, 60);
    RenyiAccountant inParts =
        RenyiAccountant.create()
            .plus(sampling, 1.5, 20)
            .plus(sampling, 1.5, 0)
            .plus(sampling, 1.5, 40);
    assertEquals(atOnce.bound(1e-5).epsilon(), inParts.bound(1e-5).epsilon(), 1e-12);
  }

  /** mpmath 1.4.1 with 60 digits; a plain sum of the terms in double loses all of them. */
  @Test
  void smallRatesKeepTheirDigits() {
    SampledGaussian round = new SampledGaussian(Sampler.POISSON, 1e-6, 10);
    assertEquals(4.0200670768931376e-14, round.divergence(8), 1e-24);
    assertTrue(round.divergence(7.5) > round.divergence(7));
    assertTrue(round.divergence(7.5) <= round.divergence(8));
    assertTrue(round.divergence(1.1) > 0);
  }

  /** Against numerical integration of the definition by mpmath: 0.0356950542680 at order 3.2. */
  @Test
  void fractionalOrdersAreBoundsAndNearlyTight() {
    double divergence = new SampledGaussian(Sampler.POISSON, 0.1, 1).divergence(3.2);
    assertTrue(divergence >= 0.035695054268047);
    assertEquals(0.035695054268047, divergence, 0.002 * divergence);
  }

  @ParameterizedTest
  @CsvSource({
    "-40, 0.69314718055994531",
    "-5.5, 0.69314718055994163",
    "-1, 0.61123231767807049",
    "-0.1, 0.10657640058652249",
    "0, 0",
    "0.3, -0.39843005144008527",
    "1.4, -3.0425119750741291",
    "1.5, -3.3844920895515527",
    "1.6, -3.7443238088601263",
    "3, -10.720363041981113",
    "10, -102.87988902484489",
    "1000, -1000007.4801207219"
  })
  void logErfcAgreesWithMpmath(double x, double expected) {
    assertEquals(expected, LogErfc.of(x), 1e-13 * Math.max(1, Math.abs(expected)));
  }

  @ParameterizedTest
  @CsvSource({
    "0.5, 2, 3.9815145531741134", "1, 4, 5.818290038535158", "10, 2, -4.6001660193248969",
    "10, 6, -10.883802432502594", "100, 8, -32.181609743003196", "2, 64, 503.99999075213771",
    "0.6, 100, 13750.0"
  })
  void momentsOfTheLikelihoodRatioAgreeWithMpmath(double sigma, int power, double expected) {
    assertEquals(expected, new LikelihoodMoments(sigma).log(power), 1e-12 * Math.max(1, expected));
  }

  @Test
  void aFixedSizeCostsMoreThanPoissonForItsNeighboursAreTwiceAsFarApart() {
    RenyiAccountant none = RenyiAccountant.create();
    double poisson = none.plus(ClientSampling.poisson(100, 100), 2, 1).bound(1e-5).epsilon();
    double fixed = none.plus(ClientSampling.fixedSize(100, 100), 4, 1).bound(1e-5).epsilon();
    assertEquals(poisson, fixed);
  }

  @Test
  void withoutNoiseThereIsNoBound() {
    RenyiAccountant sum = RenyiAccountant.create().plus(ClientSampling.poisson(100, 1), 0, 1);
    assertEquals(Double.POSITIVE_INFINITY, sum.bound(1e-5).epsilon());
    assertEquals(0, RenyiAccountant.create().bound(1e-5).epsilon());
  }

  @ParameterizedTest
  @CsvSource({
    "POISSON, 1000, 100, 200, 8",
    "FIXED_SIZE, 1000, 50, 100, 2",
    "POISSON, 10, 10, 1, 1"
  })
  void findsTheNoiseForAnEpsilon(
      Sampler sampler, int population, double clients, long rounds, double epsilon) {
    ClientSampling sampling = new ClientSampling(sampler, population, clients);
    double noise = RenyiAccountant.noiseMultiplierFor(sampling, rounds, epsilon, 1e-5);
    RenyiAccountant none = RenyiAccountant.create();
    assertTrue(none.plus(sampling, noise, rounds).bound(1e-5).epsilon() <= epsilon);
    assertTrue(none.plus(sampling, noise * (1 - 3e-6), rounds).bound(1e-5).epsilon() > epsilon);
  }

  @Test
  void refusesWhatCannotBe() {
    ClientSampling sampling = ClientSampling.poisson(10, 1);
    RenyiAccountant none = RenyiAccountant.create();
    refused(() -> none.plus(sampling, Double.NaN, 1), "noiseMultiplier");
    refused(() -> none.plus(sampling, 1, -1), "rounds");
    refused(() -> none.bound(0), "delta");
    refused(() -> none.classicBound(1), "delta");
    refused(() -> RenyiAccountant.withOrders(1.0), "orders");
    refused(() -> ClientSampling.poisson(10, 0), "expectedSize");
    refused(() -> new ClientSampling(Sampler.FIXED_SIZE, 10, 2.5), "whole");
    refused(() -> RenyiAccountant.noiseMultiplierFor(sampling, 1, 0, 1e-5), "epsilon");
    refused(() -> RenyiAccountant.noiseMultiplierFor(sampling, 1, 1e-12, 1e-15), "No noise");
  }

  @Test
  void aLedgerHoldsRoundsOfOneSamplerAlone() {
    ClientSampling poisson = ClientSampling.poisson(100, 10);
    ClientSampling more = ClientSampling.poisson(120, 10);
    ClientSampling fixed = ClientSampling.fixedSize(100, 10);
    PrivacyLedger ledger =
        PrivacyLedger.empty()
            .plusRounds(DifferentialPrivacy.of(poisson, 1, 1), 3)
            .plusRound(DifferentialPrivacy.of(poisson, 1, 0.5))
            .plusRound(DifferentialPrivacy.of(poisson, 2, 1))
            .plusRound(DifferentialPrivacy.of(more, 2, 1));
    assertEquals(
        List.of(
            new PrivacyLedger.Entry(poisson, 1, 4),
            new PrivacyLedger.Entry(poisson, 2, 1),
            new PrivacyLedger.Entry(more, 2, 1)),
        ledger.entries());
    assertEquals(6, ledger.rounds());
    RenyiAccountant sum =
        RenyiAccountant.create().plus(poisson, 1, 4).plus(poisson, 2, 1).plus(more, 2, 1);
    assertEquals(sum.bound(1e-3), ledger.spent(1e-3));
    refused(() -> ledger.plusRound(DifferentialPrivacy.of(fixed, 1, 1)), "different neighbours");
    refused(() -> sum.plus(fixed, 1, 1), "different neighbours");
    refused(
        () ->
            new PrivacyLedger(
                List.of(
                    new PrivacyLedger.Entry(poisson, 1, 1), new PrivacyLedger.Entry(fixed, 1, 1))),
        "different neighbours");
  }

  private static void refused(Runnable call, String part) {
    var thrown = assertThrows(IllegalArgumentException.class, call::run);
    assertTrue(thrown.getMessage().contains(part), thrown.getMessage());
  }
}
