package dev.lockstep.federated.aggregation;

import dev.lockstep.federated.client.ClientUpdate;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes one change of those of a round's clients. Not thread-safe. */
public interface Aggregation {
  /**
   * A round begins.
   *
   * @param weights of its clients, by the numbers of their assignments
   * @throws dev.lockstep.ConfigKeyException if so much cannot be added up
   */
  void begin(double[] weights);

  /** On what terms a client keeps its change to itself; null where it sends the change. */
  default SecureEncoding.@Nullable Terms terms(int number) {
    return null;
  }

  /**
   * Takes the change of one of this rank's clients.
   *
   * @param number of its assignment
   * @param weight that it has
   * @param effectiveSteps by which it is divided; 1 but for FedNova
   * @param update of finite numbers
   */
  void add(int number, double weight, double effectiveSteps, ClientUpdate update);

  /**
   * What the server is to step along, on all ranks; collective.
   *
   * @param answers those of all ranks
   * @param round its number, from 0
   * @return empty if there is nothing to step along: the server's model and its optimiser stay as
   *     they are
   */
  Optional<double[]> finish(Answers answers, int round);
}
