package dev.lockstep.federated;

import dev.lockstep.federated.FederationConfig.Algorithm;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a federation knows between two rounds. Equal on all ranks but for {@link #clientControls},
 * which each rank has of its clients. Not thread-safe.
 */
final class ServerState {
  /** Rounds that are done. */
  int rounds;

  /** Simulated seconds since the beginning. */
  double seconds;

  final double[] model;
  final ServerOptimizer optimizer;
  final RobustAggregation robust;

  /** SCAFFOLD's c; empty for others. */
  final double[] control;

  /** SCAFFOLD's cᵢ of clients that have taken part, by client. */
  final Map<Integer, float[]> clientControls = new HashMap<>();

  /** Models that FedBuff's clients still train on, by the number of rounds before them. */
  final TreeMap<Integer, double[]> bases = new TreeMap<>();

  /**
   * Before the first round.
   *
   * @param model its elements, of which the first {@code parameters} are trained; not copied
   */
  ServerState(FederationConfig config, double[] model, int parameters) {
    this.model = model;
    optimizer = new ServerOptimizer(config.serverOptimizer(), parameters);
    robust = new RobustAggregation(config.aggregation(), model.length);
    control = new double[config.algorithm() == Algorithm.SCAFFOLD ? parameters : 0];
    if (config.algorithm() == Algorithm.FEDBUFF) {
      bases.put(0, model.clone());
    }
  }

  /** The vectors that every rank has, in the order in which a checkpoint keeps them. */
  double[][] vectors() {
    return new double[][] {model, optimizer.first(), optimizer.second(), robust.center(), control};
  }
}
