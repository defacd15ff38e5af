package dev.lockstep.federated.config;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.train.OptimizerConfig;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a federation does, without data and ranks.
 *
 * @param seed of everything that is drawn
 * @param threads libtorch threads of each rank, at least 1. The bits of a model may depend on it,
 *     so it is not derived from the machine
 * @param model that all train
 * @param optimizer of the clients
 */
public record FederationPlan(
    long seed,
    int threads,
    ModelConfig model,
    OptimizerConfig optimizer,
    FederationConfig federation) {

  /**
   * Checks what no section can check alone.
   *
   * @throws ConfigKeyException naming the key that is wrong
   */
  public FederationPlan {
    boolean plainSgd =
        optimizer.type() == OptimizerConfig.Type.SGD
            && optimizer.momentum() == 0
            && optimizer.weightDecay() == 0;
    if (federation.algorithm() == Algorithm.SCAFFOLD && !plainSgd) {
      throw new ConfigKeyException(
          "optimizer",
          "must be {type: sgd} without momentum and weight_decay for scaffold, whose control"
              + " variates are its steps' mean gradients");
    }
    boolean knownSteps =
        optimizer.type() == OptimizerConfig.Type.SGD
            && optimizer.dampening() == 0
            && !optimizer.nesterov();
    if (federation.algorithm() == Algorithm.FEDNOVA && !knownSteps) {
      throw new ConfigKeyException(
          "optimizer",
          "must be {type: sgd}, with or without plain momentum, for fednova, which needs to know how"
              + " much each gradient counts");
    }
    if (federation.augmentation() != null && model.type() != ModelConfig.Type.CNN) {
      throw new ConfigKeyException(
          "augmentation", "varies images; use it with a model of type cnn, which says their shape");
    }
  }

  /** Everything that must be equal for equal results, by key; without data. */
  public Map<String, String> identity() {
    Map<String, String> parts = new LinkedHashMap<>();
    parts.put("seed", String.valueOf(seed));
    parts.put("model", model.toString());
    parts.put("optimizer", optimizer.toString());
    parts.put("federation", federation.withoutLength().toString());
    return parts;
  }

  /**
   * Where the clients of a federation over a network and its server meet.
   *
   * @throws ConfigKeyException for a plan without it, or with what is only simulated
   */
  public NetworkConfig network() {
    NetworkConfig network = federation.network();
    if (network == null) {
      throw new ConfigKeyException("network", "is missing; say where, as in {address: host:29700}");
    }
    if (federation.clients() == 0) {
      throw new ConfigKeyException("clients", "is missing; say how many may join over the network");
    }
    if (federation.attack() != null) {
      throw new ConfigKeyException("attack", "is of simulations; leave it out over a network");
    }
    if (federation.latency().deadline() != null) {
      throw new ConfigKeyException(
          "latency", "is of simulations; over a network it is network.deadline");
    }
    return network;
  }

  /** FedNova's ‖aᵢ‖₁ of so many steps with momentum ρ (Wang et al. 2020, section 4.1). */
  public double effectiveSteps(int steps) {
    double rho = optimizer.momentum();
    return rho == 0
        ? steps
        : (steps - rho * (1 - StrictMath.pow(rho, steps)) / (1 - rho)) / (1 - rho);
  }
}
