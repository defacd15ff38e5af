package dev.lockstep.federated.aggregation;

import dev.lockstep.comm.Communicator;
import dev.lockstep.federated.client.ClientUpdate;
import java.util.Map;

/**
 * SCAFFOLD's control variates (Karimireddy et al. 2020, algorithm 1 with option II): c, the mean
 * gradient of all clients, and cᵢ, that of each. A client's lies on the rank with the number client
 * mod ranks, rounded to float32. Not thread-safe.
 */
public final class ControlVariates {
  private final double[] all;
  private final Map<Integer, float[]> ofClients;
  private final int clients;
  private final double learningRate;
  private FixedPointSum changes;

  /**
   * Goes on with what there is.
   *
   * @param all c; changed in place
   * @param ofClients cᵢ by client; changed
   * @param clients how many there are
   * @param learningRate of their optimisers
   */
  public ControlVariates(
      double[] all, Map<Integer, float[]> ofClients, int clients, double learningRate) {
    this.all = all;
    this.ofClients = ofClients;
    this.clients = clients;
    this.learningRate = learningRate;
    changes = new FixedPointSum(all.length);
  }

  /** c − cᵢ, which is added to each gradient of the client. */
  public double[] correction(int client) {
    float[] own = ofClients.get(client);
    double[] correction = all.clone();
    for (int i = 0; own != null && i < correction.length; i++) {
      correction[i] -= own[i];
    }
    return correction;
  }

  /**
   * Whether what a client's change makes of its cᵢ can be added up; a change that is small enough
   * for the model may be a gradient that is not.
   */
  public boolean canAdd(double[] change, int steps) {
    for (int i = 0; i < all.length; i++) {
      double gradient = -change[i] / (steps * learningRate);
      if (!(Math.abs(gradient - all[i]) <= ClientUpdate.LARGEST)) {
        return false;
      }
    }
    return true;
  }

  /** cᵢ ← cᵢ − c + (w − wₖ) ÷ (K η), where wₖ − w is the client's change in K steps. */
  public void update(int client, double[] change, int steps) {
    float[] own = ofClients.getOrDefault(client, new float[all.length]);
    float[] next = new float[own.length];
    double[] difference = new double[own.length];
    for (int i = 0; i < own.length; i++) {
      double gradient = -change[i] / (steps * learningRate);
      next[i] = (float) (own[i] - all[i] + gradient);
      difference[i] = (double) next[i] - own[i];
    }
    ofClients.put(client, next);
    changes.add(1.0 / clients, difference);
  }

  /** c ← c + Σ (cᵢ⁺ − cᵢ) ÷ clients; collective. */
  public void finishRound(Communicator communicator) {
    changes.reduce(communicator);
    double[] sum = changes.times(1);
    for (int i = 0; i < sum.length; i++) {
      all[i] += sum[i];
    }
    changes = new FixedPointSum(all.length);
  }
}
