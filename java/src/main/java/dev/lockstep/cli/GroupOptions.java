package dev.lockstep.cli;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

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

  Communicator join() {
    return Communicator.fromEnvironment(new CommunicatorConfig(backend, timeoutSeconds));
  }
}
