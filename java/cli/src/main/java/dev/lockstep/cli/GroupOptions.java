package dev.lockstep.cli;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How a command's process joins its group. */
final class GroupOptions {
  @Option(
      names = "--backend",
      description = "${COMPLETION-CANDIDATES} (default: from the environment).")
  private CommunicatorConfig.@Nullable Choice backend;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description = "Deadline of each operation (default: ${DEFAULT-VALUE}).")
  private double timeoutSeconds;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  /**
   * Forms the group.
   *
   * @throws ParameterException if the deadline is none
   */
  Communicator join() {
    return Communicator.fromEnvironment(config());
  }

  /** Checks the options before anything else happens. */
  CommunicatorConfig config() {
    try {
      return new CommunicatorConfig(backend, timeoutSeconds);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(
          spec.commandLine(), "--timeout must be seconds above 0, not " + timeoutSeconds, e);
    }
  }
}
