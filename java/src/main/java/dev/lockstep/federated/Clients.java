package dev.lockstep.federated;

import dev.lockstep.federated.aggregation.SecureEncoding;
import dev.lockstep.federated.aggregation.SecureSum;
import dev.lockstep.federated.client.ClientUpdate;
import dev.lockstep.federated.population.Assignment;
import dev.lockstep.federated.population.Population;
import dev.lockstep.federated.population.RoundPlan;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The clients of a federation, wherever they are: simulated by the ranks, or at the other ends of
 * connections. What is made of their answers is the same code for both. Not thread-safe.
 */
interface Clients extends Population, SecureSum.Stages {
  /** Whether they are trained here, in simulated time. */
  boolean isSimulated();

  /**
   * Waits until a round may begin; collective.
   *
   * @return false if the federation is to stop instead
   */
  boolean await(int round);

  /**
   * The losses of a model; collective.
   *
   * @return by the candidates' places; the lowest number there is for one that did not say
   */
  double[] losses(int round, int[] candidates, double[] model);

  /**
   * What a client is to do.
   *
   * @param base the model that it begins with
   * @param correction that it adds to each gradient; null for none
   * @param seed of what it draws
   * @param terms on which it keeps its change for secure aggregation; null to send it
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
  record Work(
      int client,
      double[] base,
      double @Nullable [] correction,
      long seed,
      SecureEncoding.@Nullable Terms terms) {}

  /** Hears of answers. */
  interface Receiver {
    /**
     * @param number the assignment's place among those of the round
     * @param update without a change where that is kept
     */
    void answered(int number, ClientUpdate update);
  }

  /**
   * Has clients train. Each rank hears of the answers of its clients, in any order.
   *
   * @param work what an assignment asks for, by its number; made when it is needed, by the rank
   *     that needs it
   * @return false if the federation is to stop before all have answered or the deadline has passed
   */
  boolean train(int round, List<Assignment> assignments, IntFunction<Work> work, Receiver receiver);

  /** Of FedBuff's clients that are other processes, and train all the time; empty for others. */
  default Optional<RemoteBuffer> buffer() {
    return Optional.empty();
  }

  /** Bytes between server and clients of a round that is over. */
  long bytes(RoundPlan round);

  /** Tells the clients that all rounds are over. */
  void finish(double[] model);
}
