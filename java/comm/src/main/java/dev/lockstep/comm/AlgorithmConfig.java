package dev.lockstep.comm;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The {@code communicator.algorithms} section of a configuration: algorithms that a user chooses,
 * before every tuning. Equal on all ranks.
 *
 * @param broadcast of broadcasts
 * @param scatter of scatters
 * @param gather of gathers
 * @param allGather of all-gathers
 * @param reduce of reductions to one rank
 * @param reduceScatter of reduce-scatters
 * @param allReduce of all-reduces
 * @param allToAll of all-to-alls
 * @param barrier of barriers
 */
public record AlgorithmConfig(
    @Nullable Algorithm broadcast,
    @Nullable Algorithm scatter,
    @Nullable Algorithm gather,
    @Nullable Algorithm allGather,
    @Nullable Algorithm reduce,
    @Nullable Algorithm reduceScatter,
    @Nullable Algorithm allReduce,
    @Nullable Algorithm allToAll,
    @Nullable Algorithm barrier) {

  /** Chooses nothing. */
  public static AlgorithmConfig defaults() {
    return new AlgorithmConfig(null, null, null, null, null, null, null, null, null);
  }

  /** What was chosen, and nothing else. */
  Map<Collective, Algorithm> chosen() {
    Map<Collective, Algorithm> chosen = new EnumMap<>(Collective.class);
    put(chosen, Collective.BROADCAST, broadcast);
    put(chosen, Collective.SCATTER, scatter);
    put(chosen, Collective.GATHER, gather);
    put(chosen, Collective.ALL_GATHER, allGather);
    put(chosen, Collective.REDUCE, reduce);
    put(chosen, Collective.REDUCE_SCATTER, reduceScatter);
    put(chosen, Collective.ALL_REDUCE, allReduce);
    put(chosen, Collective.ALL_TO_ALL, allToAll);
    put(chosen, Collective.BARRIER, barrier);
    return chosen;
  }

  private static void put(
      Map<Collective, Algorithm> chosen, Collective collective, @Nullable Algorithm algorithm) {
    if (algorithm != null) {
      chosen.put(collective, algorithm);
    }
  }
}
