package dev.lockstep.comm;

import java.util.List;

/**
 * What one rank has spent in a communicator since it was opened. Immutable; taken while operations
 * run, the sums of a row may differ by the operation that ends at that moment.
 *
 * @param operations by operation and algorithm, those that have been used
 * @param peers by rank; empty where the backend does not know (MPI, a group of one)
 */
public record CommunicationStats(int rank, List<OperationStats> operations, List<PeerStats> peers) {
  public CommunicationStats {
    operations = List.copyOf(operations);
    peers = List.copyOf(peers);
  }

  /**
   * One operation, carried out by one algorithm.
   *
   * @param algorithm as in "ring"; "none" for messages and for groups of one
   * @param failures calls that threw
   * @param bytes payload that this rank put in
   * @param seconds inside the operation, without the time in the queue
   * @param waitedSeconds of those, for peers that were not there yet or had no room; 0 where the
   *     backend does not know
   * @param longestSeconds the longest call
   */
  public record OperationStats(
      Operation operation,
      String algorithm,
      long calls,
      long failures,
      long bytes,
      double seconds,
      double waitedSeconds,
      double longestSeconds,
      LatencyHistogram latency) {

    /** Payload bytes in a second inside the operation. */
    public double bytesPerSecond() {
      return seconds > 0 ? bytes / seconds : 0;
    }
  }

  /**
   * What went to and came from one peer.
   *
   * @param waitedSeconds until it sent, or had room
   */
  public record PeerStats(
      int rank,
      long messagesSent,
      long bytesSent,
      long messagesReceived,
      long bytesReceived,
      double waitedSeconds) {}

  /** Seconds inside all operations. */
  public double seconds() {
    return operations.stream().mapToDouble(OperationStats::seconds).sum();
  }

  /** Seconds of those that were spent waiting for peers. */
  public double waitedSeconds() {
    return operations.stream().mapToDouble(OperationStats::waitedSeconds).sum();
  }
}
