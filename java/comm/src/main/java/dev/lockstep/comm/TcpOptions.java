package dev.lockstep.comm;

import java.util.Objects;

/**
 * How to join a group over TCP.
 *
 * @param rank this process's number, from 0
 * @param worldSize number of ranks
 * @param masterAddress host name or address on which rank 0 listens
 * @param masterPort port on which rank 0 listens
 * @param token the job's secret, equal on all ranks; connections that do not prove it are refused
 * @param timeoutSeconds limit for forming the group, and the default deadline of each operation
 */
public record TcpOptions(
    int rank,
    int worldSize,
    String masterAddress,
    int masterPort,
    String token,
    double timeoutSeconds) {
  public TcpOptions {
    Objects.requireNonNull(masterAddress, "masterAddress");
    Objects.requireNonNull(token, "token");
    if (worldSize < 1) {
      throw new IllegalArgumentException(
          "The world size is " + worldSize + "; it must be at least 1.");
    }
    if (rank < 0 || rank >= worldSize) {
      throw new IllegalArgumentException(
          "Rank "
              + rank
              + " is not in a world of "
              + worldSize
              + " (0 to "
              + (worldSize - 1)
              + ").");
    }
    if (masterAddress.isBlank()) {
      throw new IllegalArgumentException("The master address is empty; set MASTER_ADDR.");
    }
    if (masterPort < 1 || masterPort > 65535) {
      throw new IllegalArgumentException("Master port " + masterPort + " is not in 1 to 65535.");
    }
    if (!(timeoutSeconds > 0)) {
      throw new IllegalArgumentException(
          "The timeout is " + timeoutSeconds + " s; it must be above 0.");
    }
  }
}
