package dev.lockstep.cli;

import static java.util.Objects.requireNonNull;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.LockstepException;
import dev.lockstep.checkpoint.CheckpointException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.TuningException;
import dev.lockstep.config.ConfigException;
import dev.lockstep.data.DataException;
import dev.lockstep.learn.LearningException;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.model.ModelException;
import dev.lockstep.monitor.RunFolderException;
import dev.lockstep.monitor.Terminal;
import dev.lockstep.natives.NativeCacheException;
import dev.lockstep.natives.build.NativeBuildError;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program {@code lockstep}. */
@Command(
    name = "lockstep",
    description = "Distributed training for the JVM, on native C++ kernels.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TrainCommand.class,
      FitCommand.class,
      FederateCommand.class,
      PredictCommand.class,
      LocalizeCommand.class,
      SummaryCommand.class,
      LaunchCommand.class,
      BenchCommand.class,
      CheckCommand.class,
      VerifyCommand.class,
      DataCommand.class,
      ConfigCommand.class,
      DoctorCommand.class,
      CompletionCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      " 0:done",
      " 1:a failure that Lockstep did not foresee (--verbose shows where)",
      " 2:wrong command line",
      " 3:wrong configuration",
      " 4:a data, network, model, checkpoint or run file is missing, damaged or does not fit",
      " 5:communication failed: a rank died, fell silent, disagreed or never came",
      " 6:training failed, as with a loss that is not finite",
      " 7:doctor, check, verify or bench found something that does not work",
      "85:SIGTERM came and a checkpoint was written; --resume continues",
      "130:Ctrl-C",
      "143:SIGTERM without a checkpoint"
    })
public final class Main implements Runnable {
  private static final String BEYOND_ASCII =
      "; this is no file name here (set LC_ALL=C.UTF-8 for names beyond ASCII)";

  @Spec private CommandSpec spec;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Show where an error comes from.")
  private boolean verbose;

  /** Runs the command line and exits with a code of {@link ExitCode}. */
  public static void main(String[] arguments) {
    Signals.onResize(Terminal::resized);
    System.exit(execute(arguments));
  }

  /** As {@link #main}, but returns the exit code. */
  static int execute(String... arguments) {
    Main main = new Main();
    CommandLine line = new CommandLine(main);
    line.setExecutionExceptionHandler((e, failed, parsed) -> main.report(e, failed));
    line.setParameterExceptionHandler(Main::reportUsage);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    // What follows the command to launch is its own, with or without -- before it.
    requireNonNull(line.getSubcommands().get("launch")).setStopAtPositional(true);
    try {
      return line.execute(arguments);
    } catch (NativeBuildError e) {
      line.getErr().println("lockstep: " + e.getMessage());
      return ExitCode.CONFIGURATION;
    } catch (OutOfMemoryError e) {
      line.getErr()
          .printf(
              Locale.ROOT,
              "lockstep: out of memory (%s; the heap is limited to %,d MiB): use less data, a"
                  + " smaller batch or model, or raise LOCKSTEP_HEAP, as in LOCKSTEP_HEAP=8g%n",
              e.getMessage(),
              Runtime.getRuntime().maxMemory() >> 20);
      return ExitCode.TRAINING;
    }
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  private int report(Exception e, CommandLine failed) {
    PrintWriter err = failed.getErr();
    boolean foreseen = exitCode(e) != ExitCode.INTERNAL;
    String message = foreseen || e.getMessage() == null ? e.getMessage() : describe(e);
    String text = withRemedy(message == null ? describe(e) : message);
    text.lines().forEach(line -> err.println("lockstep: " + line));
    if (verbose) {
      e.printStackTrace(err);
    } else if (!foreseen) {
      err.println("lockstep: this was not foreseen; --verbose shows where it comes from");
    }
    err.flush();
    return exitCode(e);
  }

  /** What the JDK says of a name that the locale's encoding has not, whoever passes it on. */
  private static String withRemedy(String message) {
    return message.contains("unmappable characters") ? message + BEYOND_ASCII : message;
  }

  private static int exitCode(Exception e) {
    if (e instanceof ConfigException
        || e instanceof ConfigKeyException
        || e instanceof TuningException
        || e instanceof NativeCacheException
        || e instanceof InvalidPathException) {
      return ExitCode.CONFIGURATION;
    }
    if (e instanceof CommunicationException) {
      return ExitCode.COMMUNICATION;
    }
    if (e instanceof DataException
        || e instanceof CheckpointException
        || e instanceof ModelException
        || e instanceof NetworkException
        || e instanceof LearningException
        || e instanceof RunFolderException
        || e instanceof UncheckedIOException) {
      return ExitCode.DATA;
    }
    return e instanceof LockstepException ? ExitCode.TRAINING : ExitCode.INTERNAL;
  }

  private static String describe(Exception e) {
    String name = e.getClass().getSimpleName();
    return e.getMessage() == null ? name : name + ": " + e.getMessage();
  }

  private static int reportUsage(ParameterException e, String[] arguments) {
    CommandLine failed = e.getCommandLine();
    PrintWriter err = failed.getErr();
    err.println("lockstep: " + withRemedy(String.valueOf(e.getMessage())));
    CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
    err.println("Try '" + failed.getCommandSpec().qualifiedName() + " --help'.");
    err.flush();
    return ExitCode.USAGE;
  }
}
