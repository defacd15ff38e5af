package dev.lockstep.comm;

import java.util.Locale;

/**
 * One operation that a communicator has carried out or is in. Times are nanoseconds of a clock of
 * this process, which all its communicators share and which has nothing to do with other processes'
 * clocks.
 *
 * @param number of all operations of the communicator, from 1
 * @param op looked at by reductions only
 * @param rootOrPeer root of a rooted collective, peer of a message; of a split, the color
 * @param count elements, as the operation counts them
 * @param bytes payload bytes that this rank put in
 * @param algorithm how it was carried out: "ring", say; "none" while it runs
 * @param submittedNanos when it was called
 * @param beganNanos when its turn came
 * @param endedNanos 0 while it runs
 */
public record OperationRecord(
    long number,
    Operation operation,
    DataType type,
    ReduceOp op,
    int rootOrPeer,
    long count,
    long bytes,
    String algorithm,
    State state,
    long submittedNanos,
    long beganNanos,
    long endedNanos) {

  /** How an operation stands. */
  public enum State {
    RUNNING,
    DONE,
    FAILED
  }

  /** As in "#17 all-reduce of 1000 F32 by SUM, ring, 0.012 ms, done". */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("#" + number + " " + operation);
    if (operation != Operation.BARRIER && operation != Operation.SPLIT) {
      text.append(" of ").append(count).append(' ').append(type);
    }
    switch (operation) {
      case REDUCE, REDUCE_SCATTER, ALL_REDUCE -> text.append(" by ").append(op);
      case SEND -> text.append(" to rank ").append(rootOrPeer);
      case RECEIVE -> text.append(" from rank ").append(rootOrPeer);
      default -> {}
    }
    if (endedNanos > 0) {
      text.append(", ").append(algorithm);
      text.append(String.format(Locale.ROOT, ", %.3f ms", (endedNanos - beganNanos) * 1e-6));
    }
    return text.append(", ").append(state.name().toLowerCase(java.util.Locale.ROOT)).toString();
  }
}
