package dev.lockstep.federated;

import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The clients of a federation, wherever they are: simulated by the ranks, or at the other ends of
 * connections. What is made of their answers is the same code for both. Not thread-safe.
 */
interface Clients {
  /** How many there are, numbered from 0. */
  int count();

  /** Samples that a client has; 1 of one that has not said so yet. */
  int samples(int client);

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
   * @param terms on which it keeps its change for {@link #secureStage}; null to send it
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

  /**
   * A stage of secure aggregation; collective.
   *
   * @param messages to clients that have trained in this round, by the numbers of their assignments
   * @return answers, on all ranks, of those who have answered
   * @throws java.util.concurrent.CancellationException if the federation is to stop before
   */
  Map<Integer, byte[]> secureStage(int round, Map<Integer, byte[]> messages);

  /** Bytes between server and clients of a round that is over. */
  long bytes(RoundPlan round);

  /** Tells the clients that all rounds are over. */
  void finish(double[] model);
}
