package dev.lockstep.federated;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.federated.privacy.AdaptiveClipping;
import dev.lockstep.federated.privacy.ClientSampling;
import dev.lockstep.federated.privacy.DifferentialPrivacy;
import dev.lockstep.federated.privacy.NoiseKey;
import dev.lockstep.federated.privacy.PrivacyLedger;
import dev.lockstep.federated.privacy.RenyiAccountant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Draws a round's clients and joins their changes as {@link DifferentialPrivacy} has it. The same
 * object draws and is accounted for, so that the theorem is the sampler's. Noise follows from the
 * run's seed, which makes runs repeatable and, the seed being known, protects nobody: a simulation
 * shows what privacy costs, it does not give it. Not thread-safe.
 */
final class PrivateSum {
  private final PrivacyConfig config;
  private final DifferentialPrivacy mechanism;
  private final NoiseKey key;
  private final ServerState state;
  private final long[] sum;

  PrivateSum(
      FederationConfig federation, int clients, int parameters, long seed, ServerState state) {
    config = federation.privacy();
    this.state = state;
    int perRound = federation.perRound(clients);
    boolean poisson = federation.selection().type() == SelectionConfig.Type.POISSON;
    ClientSampling sampling =
        poisson
            ? ClientSampling.poisson(clients, perRound)
            : ClientSampling.fixedSize(clients, perRound);
    mechanism = mechanism(config, sampling, perRound);
    key = NoiseKey.fromPublicSeed(seed);
    sum = new long[mechanism.contributionLength(parameters)];
  }

  private static DifferentialPrivacy mechanism(
      PrivacyConfig config, ClientSampling sampling, int perRound) {
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
  int[] draw(int round) {
    return mechanism.sampling().draw(key, round);
  }

  /** Adds a client's change, of finite elements. */
  void add(double[] change) {
    float[] rounded = new float[change.length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (float) change[i];
    }
    long[] contribution = mechanism.contribution(rounded, state.privacyNorm[0]);
    for (int i = 0; i < sum.length; i++) {
      sum[i] += contribution[i];
    }
  }

  /** The mean with its noise, on all ranks; the next round begins. Collective. */
  double[] release(Communicator communicator, int round) {
    long[] all = communicator.allReduce(sum, ReduceOp.SUM);
    Arrays.fill(sum, 0);
    DifferentialPrivacy.Release release = mechanism.release(all, state.privacyNorm[0], key, round);
    state.privacyNorm[0] = release.nextClipNorm();
    double[] mean = new double[release.mean().length];
    Arrays.setAll(mean, i -> release.mean()[i]);
    return mean;
  }

  /** What so many rounds have told about any client. */
  PrivacySpent spent(int rounds) {
    PrivacyLedger ledger = PrivacyLedger.empty().plusRounds(mechanism, rounds);
    RenyiAccountant.Bound bound = ledger.spent(config.delta());
    return new PrivacySpent(
        bound.epsilon(), config.delta(), bound.order(), state.privacyNorm[0], ledger);
  }
}
