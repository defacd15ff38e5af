package dev.lockstep.federated.aggregation;

import static java.util.Objects.requireNonNull;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.federated.client.ClientUpdate;
import dev.lockstep.federated.client.ParameterVector;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.PrivacyConfig;
import dev.lockstep.federated.config.SelectionConfig;
import dev.lockstep.federated.privacy.AdaptiveClipping;
import dev.lockstep.federated.privacy.CanaryAudit;
import dev.lockstep.federated.privacy.ClientSampling;
import dev.lockstep.federated.privacy.DifferentialPrivacy;
import dev.lockstep.federated.privacy.NoiseKey;
import dev.lockstep.federated.privacy.PrivacyLedger;
import dev.lockstep.federated.privacy.RenyiAccountant;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Draws a round's clients and joins their changes as {@link DifferentialPrivacy} has it. The same
 * object draws and is accounted for, so that the theorem is the sampler's. Noise follows from the
 * run's seed, which makes runs repeatable and, the seed being known, protects nobody: a simulation
 * shows what privacy costs, it does not give it. Not thread-safe.
 */
public final class PrivateSum implements Aggregation {
  private static final double AUDIT_CONFIDENCE = 0.95;

  private final PrivacyConfig config;
  private final DifferentialPrivacy mechanism;
  private final PrivacyState state;
  private final Communicator communicator;
  private final long[] sum;

  public PrivateSum(
      FederationConfig federation,
      int clients,
      int parameters,
      PrivacyState state,
      Communicator communicator) {
    config = requireNonNull(federation.privacy());
    this.state = state;
    this.communicator = communicator;
    mechanism = mechanism(federation, clients);
    sum = new long[mechanism.contributionLength(parameters)];
  }

  /** Sampling, clipping and noise as a configuration has them, for so many clients. */
  public static DifferentialPrivacy mechanism(FederationConfig federation, int clients) {
    PrivacyConfig config = requireNonNull(federation.privacy());
    int perRound = federation.perRound(clients);
    ClientSampling sampling =
        federation.selection().type() == SelectionConfig.Type.POISSON
            ? ClientSampling.poisson(clients, perRound)
            : ClientSampling.fixedSize(clients, perRound);
    @Nullable AdaptiveClipping adaptive = config.adaptive(perRound);
    try {
      DifferentialPrivacy fixed =
          DifferentialPrivacy.of(sampling, config.noiseMultiplier(), config.clipNorm());
      return adaptive == null ? fixed : fixed.withAdaptiveClipping(adaptive);
    } catch (IllegalArgumentException e) {
      throw new ConfigKeyException("privacy", "cannot be had: " + e.getMessage());
    }
  }

  /** The clients of a round, ascending; by Poisson's coins maybe none. */
  public int[] draw(int round) {
    return mechanism.sampling().draw(state.key(), round);
  }

  @Override
  public void begin(double[] weights) {
    Arrays.fill(sum, 0);
  }

  @Override
  public void add(int number, double weight, double effectiveSteps, ClientUpdate update) {
    float[] rounded = ParameterVector.toFloats(update.change());
    long[] contribution = mechanism.contribution(rounded, state.clipNorm()[0]);
    for (int i = 0; i < sum.length; i++) {
      sum[i] += contribution[i];
    }
  }

  /** The mean with its noise, which is released in a round without answers, too. */
  @Override
  public Optional<double[]> finish(Answers answers, int round) {
    return Optional.of(release(communicator.allReduce(sum, ReduceOp.SUM), round));
  }

  /**
   * As the other, of a sum that all ranks have.
   *
   * @param all empty for a sum of nothing
   */
  double[] release(long[] all, int round) {
    long[] whole = all.length == 0 ? new long[sum.length] : all;
    DifferentialPrivacy.Release release =
        mechanism.release(whole, state.clipNorm()[0], state.key(), round);
    state.clipNorm()[0] = release.nextClipNorm();
    double[] mean = new double[release.mean().length];
    Arrays.setAll(mean, i -> release.mean()[i]);
    return mean;
  }

  /** What canaries find of the mechanism in so many rounds; empty without canaries. */
  public Optional<CanaryAudit.Result> audit(int rounds) {
    if (config.canaries() == 0) {
      return Optional.empty();
    }
    int guesses = Math.max(2, config.canaries() / 4 * 2);
    // Not the run's key: what is audited must not know where the canaries are.
    NoiseKey key = NoiseKey.random(new SecureRandom());
    return Optional.of(
        CanaryAudit.ofMechanism(mechanism, rounds, config.canaries(), key)
            .result(guesses, config.delta(), AUDIT_CONFIDENCE));
  }

  /** What so many rounds have told about any client. */
  public PrivacySpent spent(int rounds) {
    PrivacyLedger ledger = PrivacyLedger.empty().plusRounds(mechanism, rounds);
    RenyiAccountant.Bound bound = ledger.spent(config.delta());
    return new PrivacySpent(
        bound.epsilon(), config.delta(), bound.order(), state.clipNorm()[0], ledger);
  }
}
