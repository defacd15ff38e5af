package dev.lockstep.federated;

import dev.lockstep.comm.Communicator;

/**
 * SCAFFOLD's control variates (Karimireddy et al. 2020, algorithm 1 with option II): c, the mean
 * gradient of all clients, and cᵢ, that of each. A client's lies on the rank with the number client
 * mod ranks, rounded to float32. Not thread-safe.
 */
final class ControlVariates {
  private final ServerState state;
  private final int clients;
  private final double learningRate;
  private FixedPointSum changes;

  ControlVariates(ServerState state, int clients, double learningRate) {
    this.state = state;
    this.clients = clients;
    this.learningRate = learningRate;
    changes = new FixedPointSum(state.control.length);
  }

  /** c − cᵢ, which is added to each gradient of the client. */
  double[] correction(int client) {
    float[] own = state.clientControls.get(client);
    double[] correction = state.control.clone();
    for (int i = 0; own != null && i < correction.length; i++) {
      correction[i] -= own[i];
    }
    return correction;
  }

  /** cᵢ ← cᵢ − c + (w − wₖ) ÷ (K η), where wₖ − w is the client's change in K steps. */
  void update(int client, double[] change, int steps) {
    float[] own = state.clientControls.getOrDefault(client, new float[state.control.length]);
    float[] next = new float[own.length];
    double[] difference = new double[own.length];
    for (int i = 0; i < own.length; i++) {
      double gradient = -change[i] / (steps * learningRate);
      next[i] = (float) (own[i] - state.control[i] + gradient);
      difference[i] = (double) next[i] - own[i];
    }
    state.clientControls.put(client, next);
    changes.add(1.0 / clients, difference);
  }

  /** c ← c + Σ (cᵢ⁺ − cᵢ) ÷ clients; collective. */
  void finishRound(Communicator communicator) {
    changes.reduce(communicator);
    double[] sum = changes.times(1);
    for (int i = 0; i < sum.length; i++) {
      state.control[i] += sum[i];
    }
    changes = new FixedPointSum(state.control.length);
  }
}
