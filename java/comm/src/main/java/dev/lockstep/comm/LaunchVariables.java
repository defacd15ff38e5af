package dev.lockstep.comm;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Environment variables with the checks that a launch needs. An empty variable counts as absent.
 */
final class LaunchVariables {
  private final Map<String, String> environment;

  LaunchVariables(Map<String, String> environment) {
    this.environment = environment;
  }

  boolean has(String name) {
    return !get(name).isEmpty();
  }

  String text(String name) {
    if (!has(name)) {
      throw RendezvousException.of(
          name
              + " is not set, but other variables of the launch are; set it, or unset them for a group of one.");
    }
    return get(name);
  }

  String text(String name, String otherwise) {
    return has(name) ? get(name) : otherwise;
  }

  int integer(String name) {
    text(name);
    return integer(name, 0);
  }

  int integer(String name, int otherwise) {
    long value = wholeNumber(name, otherwise);
    if (value != (int) value) {
      throw noNumber(name, get(name));
    }
    return (int) value;
  }

  /** As {@link #integer(String, int)}, for numbers that may exceed an int, as job numbers do. */
  long wholeNumber(String name, long otherwise) {
    return has(name) ? parse(name, get(name)) : otherwise;
  }

  /** A host name or address; an IPv6 address may stand in brackets, as in URLs. */
  String host(String name) {
    String value = text(name);
    boolean bracketed = value.startsWith("[") && value.endsWith("]");
    String host = bracketed ? value.substring(1, value.length() - 1) : value;
    if (host.isBlank()) {
      throw RendezvousException.of(name + " is \"" + value + "\"; it must name rank 0's host.");
    }
    return host;
  }

  int masterPort() {
    return integer("MASTER_PORT", LaunchEnvironment.DEFAULT_MASTER_PORT);
  }

  /** Whether torchrun started this process and listens on {@code MASTER_PORT} itself. */
  boolean torchrun() {
    return has("TORCHELASTIC_RUN_ID")
        && !text("TORCHELASTIC_USE_AGENT_STORE", "True").equalsIgnoreCase("false");
  }

  /** The port above the one that torchrun's own store holds, or, above the last, below it. */
  int portBesideTorchrun() {
    int taken = masterPort();
    return taken < 65_535 ? taken + 1 : taken - 1;
  }

  /**
   * SLURM writes "2(x3),1" for nodes with 2, 2, 2 and 1 tasks; this node's place is in
   * SLURM_NODEID.
   */
  int tasksOnThisNode() {
    String name = "SLURM_STEP_TASKS_PER_NODE";
    int node = integer("SLURM_NODEID", 0);
    for (String group : text(name, "1").split(",")) {
      int repeat = group.indexOf("(x");
      boolean repeated = repeat >= 0 && group.endsWith(")");
      String tasks = repeated ? group.substring(0, repeat) : group;
      long nodes = repeated ? parse(name, group.substring(repeat + 2, group.length() - 1)) : 1;
      if (node < nodes) {
        return Math.toIntExact(Math.min(Integer.MAX_VALUE, Math.max(0, parse(name, tasks))));
      }
      node -= (int) Math.max(0, nodes);
    }
    return 1;
  }

  private String get(String name) {
    @Nullable String value = environment.get(name);
    return value == null ? "" : value.trim();
  }

  private static long parse(String name, String value) {
    try {
      return Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw noNumber(name, value);
    }
  }

  private static RendezvousException noNumber(String name, String value) {
    return RendezvousException.of(name + " is \"" + value + "\"; it must be a whole number.");
  }
}
