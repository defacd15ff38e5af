package dev.lockstep.federated.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CanaryAuditTest {
  private static final double DELTA = 1e-5;

  @ParameterizedTest
  @CsvSource({
    "POISSON, 1000, 1, 1.0",
    "POISSON, 1000, 1, 0.5",
    "POISSON, 200, 20, 1.0",
    "FIXED_SIZE, 1000, 1, 2.0",
    "FIXED_SIZE, 200, 20, 1.0"
  })
  void theLowerBoundOfTheMechanismIsBelowTheUpper(
      ClientSampling.Sampler sampler, double clients, int rounds, double noise) {
    ClientSampling sampling = new ClientSampling(sampler, 1000, clients);
    DifferentialPrivacy mechanism = DifferentialPrivacy.of(sampling, noise, 1);
    CanaryAudit.Result lower = audit(mechanism, rounds);
    double upper = PrivacyLedger.empty().plusRounds(mechanism, rounds).spent(DELTA).epsilon();
    assertTrue(lower.epsilon() > 0, "found nothing: " + lower);
    assertTrue(lower.epsilon() <= upper, lower + " above " + upper);
  }

  @Test
  void aMechanismThatForgetsItsNoiseIsFound() {
    ClientSampling sampling = ClientSampling.poisson(1000, 200);
    DifferentialPrivacy promised = DifferentialPrivacy.of(sampling, 4, 1);
    DifferentialPrivacy broken = DifferentialPrivacy.of(sampling, 0, 1);
    double upper = PrivacyLedger.empty().plusRounds(promised, 20).spent(DELTA).epsilon();
    double lower = audit(broken, 20).epsilon();
    assertTrue(upper < 2, "upper " + upper);
    assertTrue(lower > 2 * upper, "lower " + lower + ", upper " + upper);
  }

  /** Noise on the mean instead of on the sum: one of the faults that such an audit is for. */
  @Test
  void noiseThatIsTooSmallByTheNumberOfClientsIsFound() {
    ClientSampling sampling = ClientSampling.poisson(1000, 1000);
    DifferentialPrivacy promised = DifferentialPrivacy.of(sampling, 10, 1);
    DifferentialPrivacy broken = DifferentialPrivacy.of(sampling, 10.0 / 1000, 1);
    double upper = PrivacyLedger.empty().plusRounds(promised, 1).spent(DELTA).epsilon();
    assertTrue(audit(broken, 1).epsilon() > upper);
  }

  private static CanaryAudit.Result audit(DifferentialPrivacy mechanism, int rounds) {
    return CanaryAudit.ofMechanism(mechanism, rounds, 1000, NoiseKey.fromPublicSeed(17))
        .result(200, DELTA, 0.95);
  }

  @Test
  void canariesAreFoundInATrainedModelToo() {
    int parameters = 5000;
    ClientSampling sampling = ClientSampling.poisson(50, 50);
    DifferentialPrivacy mechanism =
        DifferentialPrivacy.of(sampling, 0.5, 3)
            .withAdaptiveClipping(new AdaptiveClipping(0.5, 0.2, 2));
    NoiseKey key = NoiseKey.fromPublicSeed(3);
    CanaryAudit audit = new CanaryAudit(50, parameters, key);
    double norm = mechanism.clipNorm();
    for (int round = 0; round < 5; round++) {
      long[] sum = new long[mechanism.contributionLength(parameters)];
      for (int canary = 0; canary < audit.canaries(); canary++) {
        long[] one = mechanism.contribution(audit.update(canary, parameters, norm), norm);
        Arrays.setAll(sum, i -> sum[i] + one[i]);
      }
      DifferentialPrivacy.Release release = mechanism.release(sum, norm, key, round);
      float[] mean = release.mean();
      for (int i = 0; i < parameters; i++) {
        mean[i] += 0.001f; // what the model learns from the others
      }
      audit.observe(mean);
      norm = release.nextClipNorm();
    }
    CanaryAudit.Result result = audit.result(50, DELTA, 0.95);
    assertTrue(result.correct() >= 45, result.toString());
    assertTrue(result.epsilon() > 1, result.toString());
    String line = result.next(new RenyiAccountant.Bound(9.5, 2));
    assertTrue(
        line.matches(
            "epsilon at delta 1\\.00e-05: at least \\d\\.\\d{4} \\(\\d+ of 50 guesses about 50"
                + " canaries, confidence 0\\.950\\), at most 9\\.5000 \\(order 2\\.000\\)"),
        line);
  }

  /** All r guesses right with δ = 0: (1/(1 + exp(-ε)))^r = 0.05. */
  @Test
  void theBoundOfPerfectGuessesIsThatOfRandomizedResponse() {
    double share = Math.pow(0.05, 1.0 / 100);
    assertEquals(
        Math.log(share / (1 - share)), GuessingBound.lowerEpsilon(1000, 100, 100, 0, 0.05), 1e-9);
    assertEquals(0, GuessingBound.lowerEpsilon(1000, 100, 50, 0, 0.05));
    assertTrue(
        GuessingBound.lowerEpsilon(1000, 100, 100, 1e-5, 0.05)
            < GuessingBound.lowerEpsilon(1000, 100, 100, 0, 0.05));
  }

  @Test
  void refusesWhatCannotBe() {
    NoiseKey key = NoiseKey.fromPublicSeed(1);
    refused(() -> new CanaryAudit(10, 9, key), "canaries");
    refused(() -> new CanaryAudit(10, 10, key).result(11, 0, 0.95), "guesses");
    refused(() -> new CanaryAudit(10, 10, key).result(10, 0, 1), "confidence");
    DifferentialPrivacy small =
        new DifferentialPrivacy(ClientSampling.poisson(5, 5), 1, 1, 20, Optional.empty());
    refused(() -> CanaryAudit.ofMechanism(small, 1, 6, key), "at most 5");
  }

  private static void refused(Runnable call, String part) {
    var thrown = assertThrows(IllegalArgumentException.class, call::run);
    assertTrue(thrown.getMessage().contains(part), thrown.getMessage());
  }
}
