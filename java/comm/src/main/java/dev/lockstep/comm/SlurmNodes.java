package dev.lockstep.comm;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The little of SLURM's node lists that a rank needs to find rank 0. */
final class SlurmNodes {
  /** Ports below this are often taken; as many jobs as fit share the range above it. */
  private static final int FIRST_PORT = 20_000;

  private static final int PORTS = 10_000;

  /** A range, of numbers ({@code 003-005}) or of whole names ({@code host001-host012}). */
  private static final Pattern RANGE = Pattern.compile("(\\D*)(\\d+)-\\1\\d+");

  private SlurmNodes() {}

  /**
   * The first host of a list such as {@code cn[003-005,007],gpu1} ({@code cn003}) or {@code
   * rack[1-2]node[01-04]} ({@code rack1node01}).
   *
   * @throws RendezvousException if the list cannot be understood
   */
  static String first(String nodeList) {
    StringBuilder host = new StringBuilder();
    int at = 0;
    while (at < nodeList.length() && nodeList.charAt(at) != ',') {
      if (nodeList.charAt(at) != '[') {
        host.append(nodeList.charAt(at++));
        continue;
      }
      int close = nodeList.indexOf(']', at);
      if (close < 0) {
        throw notUnderstood(nodeList);
      }
      String element = nodeList.substring(at + 1, close).split(",", 2)[0];
      Matcher range = RANGE.matcher(element);
      host.append(range.matches() ? range.group(1) + range.group(2) : element);
      at = close + 1;
    }
    String name = host.toString().strip();
    if (!name.matches("[^\\s\\[\\]]+")) {
      throw notUnderstood(nodeList);
    }
    return name;
  }

  private static RendezvousException notUnderstood(String nodeList) {
    return RendezvousException.of(
        "SLURM's node list \""
            + nodeList
            + "\" cannot be understood; set MASTER_ADDR to the host of rank 0.");
  }

  /** A port that all ranks of a job compute alike and that two jobs on one host seldom share. */
  static int port(long jobId) {
    return FIRST_PORT + (int) Math.floorMod(jobId, (long) PORTS);
  }
}
