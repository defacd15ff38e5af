package dev.lockstep.cli;

import dev.lockstep.comm.FreePort;
import dev.lockstep.comm.LaunchEnvironment;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code lockstep launch}: local ranks, each a process. Needs the JDK alone; libtorch stays out.
 */
@Command(
    name = "launch",
    description = {
      "Start N ranks of a command on this machine, connected over TCP.",
      "",
      "Each rank gets RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT and"
          + " LOCKSTEP_TOKEN. Output lines carry the rank. The first failure ends all ranks and its"
          + " message comes last. Ctrl-C ends all within two seconds; SIGTERM is passed on, and ranks"
          + " have the grace to write a checkpoint."
    },
    footer = {
      "",
      "Examples:",
      "  lockstep launch -n 2 -- train examples/heat-flux.yaml",
      "  lockstep launch -n 4 -- python3 worker.py"
    })
final class LaunchCommand implements Callable<Integer> {
  /** The script that started this process: it also starts the ranks of lockstep's own commands. */
  private static final String PROGRAM_PROPERTY = "lockstep.program";

  /** More processes than any machine has cores for; a slip of the finger otherwise starts them. */
  private static final int MOST_RANKS = 4096;

  @Spec private CommandSpec spec;

  @Option(
      names = {"-n", "--ranks"},
      required = true,
      paramLabel = "N",
      description = "Number of ranks.")
  private int ranks;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "Port on which rank 0 listens (default: a free one).")
  private int port;

  @Option(
      names = "--grace",
      paramLabel = "SECONDS",
      defaultValue = "25",
      description =
          "Time that ranks have after SIGTERM before SIGKILL (default: ${DEFAULT-VALUE}; SLURM's own"
              + " KillWait is 30).")
  private int graceSeconds;

  @Parameters(
      arity = "1..*",
      paramLabel = "COMMAND",
      description = "A lockstep command such as train, or any program, with its arguments.")
  private List<String> command;

  @Override
  public Integer call() throws InterruptedException {
    if (ranks < 1 || ranks > MOST_RANKS) {
      throw new ParameterException(
          spec.commandLine(), "-n must be 1 to " + MOST_RANKS + ", not " + ranks);
    }
    if (port < 0 || port > 65_535) {
      throw new ParameterException(
          spec.commandLine(), "--port must be 1 to 65535, or 0 for a free one, not " + port);
    }
    if (graceSeconds < 0) {
      throw new ParameterException(spec.commandLine(), "--grace must not be negative");
    }
    refuseOtherLauncher();
    LocalLauncher launcher =
        new LocalLauncher(System.out, System.err, Duration.ofSeconds(graceSeconds));
    Signals.onInterrupt(() -> launcher.signalled("INT"));
    Signals.onTerminate(() -> launcher.signalled("TERM"));
    return launcher.run(program(), environments());
  }

  /** Under mpirun each rank would start a group of its own, and all would report success. */
  private void refuseOtherLauncher() {
    LaunchEnvironment around = LaunchEnvironment.current();
    if (around.worldSize() > 1) {
      throw new ParameterException(
          spec.commandLine(),
          "this process is itself rank "
              + around.rank()
              + " of "
              + around.worldSize()
              + " of another launcher (mpirun, srun, torchrun, launch); each would start a group of"
              + " its own. Use one of the two");
    }
  }

  private List<String> program() {
    if (!spec.parent().subcommands().containsKey(command.get(0))) {
      return command;
    }
    String program = System.getProperty(PROGRAM_PROPERTY);
    if (program == null) {
      throw new ParameterException(
          spec.commandLine(), "start ranks of lockstep's own commands through hpc/lockstep");
    }
    List<String> own = new ArrayList<>(List.of(program));
    own.addAll(command);
    return own;
  }

  private List<Map<String, String>> environments() {
    byte[] token = new byte[16];
    new SecureRandom().nextBytes(token);
    String secret = HexFormat.of().formatHex(token);
    String size = Integer.toString(ranks);
    String masterPort = Integer.toString(port == 0 ? FreePort.choose() : port);
    return IntStream.range(0, ranks)
        .mapToObj(Integer::toString)
        .map(
            rank ->
                Map.of(
                    "RANK", rank,
                    "LOCAL_RANK", rank,
                    "WORLD_SIZE", size,
                    "LOCAL_WORLD_SIZE", size,
                    "MASTER_ADDR", "127.0.0.1",
                    "MASTER_PORT", masterPort,
                    "LOCKSTEP_TOKEN", secret))
        .toList();
  }
}
