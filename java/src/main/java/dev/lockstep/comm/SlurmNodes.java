package dev.lockstep.comm;

/** The little of SLURM's node lists that a rank needs to find rank 0. */
final class SlurmNodes {
  /** Ports below this are often taken; as many jobs as fit share the range above it. */
  private static final int FIRST_PORT = 20_000;

  private static final int PORTS = 10_000;

  private SlurmNodes() {}

  /** The first host of a list such as {@code cn[003-005,007],gpu1}: {@code cn003}. */
  static String first(String nodeList) {
    int bracket = nodeList.indexOf('[');
    int comma = nodeList.indexOf(',');
    if (bracket < 0 || (comma >= 0 && comma < bracket)) {
      return comma < 0 ? nodeList : nodeList.substring(0, comma);
    }
    int end = bracket + 1;
    while (end < nodeList.length() && Character.isDigit(nodeList.charAt(end))) {
      end++;
    }
    int close = nodeList.indexOf(']', bracket);
    int next = nodeList.indexOf(',', close);
    String suffix = nodeList.substring(close + 1, next < 0 ? nodeList.length() : next);
    return nodeList.substring(0, bracket) + nodeList.substring(bracket + 1, end) + suffix;
  }

  /** A port that all ranks of a job compute alike and that two jobs on one host seldom share. */
  static int port(int jobId) {
    return FIRST_PORT + Math.floorMod(jobId, PORTS);
  }
}
