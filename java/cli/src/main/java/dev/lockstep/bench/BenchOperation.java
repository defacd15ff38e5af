package dev.lockstep.bench;

import dev.lockstep.comm.Collective;
import java.util.Locale;
import java.util.Optional;

/**
 * What is measured. Sizes mean what they mean in nccl-tests: S is the larger of a rank's two
 * buffers, so all-gather's parts and reduce-scatter's results have S/P bytes.
 */
public enum BenchOperation {
  ALLREDUCE,
  /** From rank 0. */
  BROADCAST,
  ALLGATHER,
  REDUCESCATTER,
  ALLTOALL,
  /** Rank 0 sends to rank 1, which sends as much back; half the round trip, at rank 0. */
  PINGPONG,
  /** Each rank sends to the next and receives from the one before, as one operation. */
  EXCHANGE,
  /** Has no bytes. */
  BARRIER;

  /** As on the command line and in reports. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What the algorithm is chosen for; none for messages. */
  public Optional<Collective> collective() {
    return switch (this) {
      case ALLREDUCE -> Optional.of(Collective.ALL_REDUCE);
      case BROADCAST -> Optional.of(Collective.BROADCAST);
      case ALLGATHER -> Optional.of(Collective.ALL_GATHER);
      case REDUCESCATTER -> Optional.of(Collective.REDUCE_SCATTER);
      case ALLTOALL -> Optional.of(Collective.ALL_TO_ALL);
      case BARRIER -> Optional.of(Collective.BARRIER);
      case PINGPONG, EXCHANGE -> Optional.empty();
    };
  }

  /** Whether ranks' elements are combined, so that a {@code ReduceOp} matters. */
  public boolean reduces() {
    return this == ALLREDUCE || this == REDUCESCATTER;
  }

  /**
   * What algbw is multiplied by to give the rate that the slowest link must have carried, whatever
   * the number of ranks (nccl-tests, doc/PERFORMANCE.md).
   */
  public double busFactor(int ranks) {
    double others = (ranks - 1.0) / ranks;
    return switch (this) {
      case ALLREDUCE -> 2 * others;
      case ALLGATHER, REDUCESCATTER, ALLTOALL -> others;
      case BROADCAST, PINGPONG, EXCHANGE -> 1;
      case BARRIER -> 0;
    };
  }

  /** Whether S must be cut into P equal parts. */
  boolean hasParts() {
    return this == ALLGATHER || this == REDUCESCATTER || this == ALLTOALL;
  }
}
