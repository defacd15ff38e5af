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
      throw new RendezvousException(
          name
              + " is not set, but other variables of the launch are; set it, or unset them for a group of one.",
          CommunicationException.NO_RANK,
          null);
    }
    return get(name);
  }

  String text(String name, String otherwise) {
    return has(name) ? get(name) : otherwise;
  }

  int integer(String name) {
    return parse(name, text(name));
  }

  int integer(String name, int otherwise) {
    return has(name) ? parse(name, get(name)) : otherwise;
  }

  /**
   * SLURM writes "2(x3),1" for nodes with 2, 2, 2 and 1 tasks; this node's place is in
   * SLURM_NODEID.
   */
  int tasksOnThisNode() {
    int node = integer("SLURM_NODEID", 0);
    for (String group : text("SLURM_STEP_TASKS_PER_NODE", "1").split(",")) {
      int repeat = group.indexOf("(x");
      String tasks = repeat < 0 ? group : group.substring(0, repeat);
      int nodes =
          repeat < 0
              ? 1
              : parse("SLURM_STEP_TASKS_PER_NODE", group.substring(repeat + 2, group.length() - 1));
      if (node < nodes) {
        return parse("SLURM_STEP_TASKS_PER_NODE", tasks);
      }
      node -= nodes;
    }
    return 1;
  }

  private String get(String name) {
    @Nullable String value = environment.get(name);
    return value == null ? "" : value.trim();
  }

  private static int parse(String name, String value) {
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new RendezvousException(
          name + " is \"" + value + "\"; it must be a whole number.",
          CommunicationException.NO_RANK,
          e);
    }
  }
}
