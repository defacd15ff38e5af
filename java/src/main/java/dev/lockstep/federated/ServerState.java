package dev.lockstep.federated;

import dev.lockstep.federated.FederationConfig.Algorithm;
import dev.lockstep.federated.privacy.NoiseKey;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a federation knows between two rounds. Equal on all ranks but for {@link #clientControls}
 * and {@link #personal}, which each rank has of its clients. Not thread-safe.
 */
final class ServerState {
  /** Rounds that are done. */
  int rounds;

  /** Simulated seconds since the beginning. */
  double seconds;

  final double[] model;
  final ServerOptimizer optimizer;
  final RobustAggregation robust;

  /** The norm to which private changes are shortened; one element, or none without privacy. */
  final double[] privacyNorm;

  /** From which private rounds draw their noise and their clients. */
  NoiseKey noiseKey;

  /** SCAFFOLD's c; empty for others. */
  final double[] control;

  /** SCAFFOLD's cᵢ of clients that have taken part, by client. */
  final Map<Integer, float[]> clientControls = new HashMap<>();

  /** Personal layers of clients that have taken part, by client; of this rank's clients. */
  final Map<Integer, float[]> personal = new HashMap<>();

  /** Models that FedBuff's clients still train on, by the number of rounds before them. */
  final TreeMap<Integer, double[]> bases = new TreeMap<>();

  /**
   * Before the first round.
   *
   * @param model its elements, of which the first {@code parameters} are trained; not copied
   * @param noiseKey kept with the rest, so that no round is ever released with two
   */
  ServerState(FederationConfig config, double[] model, int parameters, NoiseKey noiseKey) {
    this.model = model;
    this.noiseKey = noiseKey;
    optimizer = new ServerOptimizer(config.serverOptimizer(), parameters);
    robust = new RobustAggregation(config.aggregation(), model.length);
    PrivacyConfig privacy = config.privacy();
    privacyNorm =
        privacy == null || !privacy.addsNoise() ? new double[0] : new double[] {privacy.clipNorm()};
    control = new double[config.algorithm() == Algorithm.SCAFFOLD ? parameters : 0];
    if (config.algorithm() == Algorithm.FEDBUFF) {
      bases.put(0, model.clone());
    }
  }

  /** The vectors that every rank has, in the order in which a checkpoint keeps them. */
  double[][] vectors() {
    return new double[][] {
      model, optimizer.first(), optimizer.second(), robust.center(), control, privacyNorm
    };
  }
}
