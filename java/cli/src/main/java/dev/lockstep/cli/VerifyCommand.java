package dev.lockstep.cli;

import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.federated.verify.FederationVerification;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.verify.Finding;
import dev.lockstep.train.verify.StrategyVerification;
import dev.lockstep.train.verify.VerificationPlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code lockstep verify}: holds parts of a training to what they promise. */
@Command(name = "verify", description = "Try a strategy out, the user's own included.")
final class VerifyCommand implements Runnable {
  private static final int MOST_RANKS = 64;

  private static final Set<CommunicatorConfig.Choice> LOCAL =
      Set.of(
          CommunicatorConfig.Choice.AUTO,
          CommunicatorConfig.Choice.TCP,
          CommunicatorConfig.Choice.SHARED_MEMORY);

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "say what to verify: strategy");
  }

  @Command(
      name = "strategy",
      description = {
        "Run small trainings with a strategy, on ranks that are threads of this process, and check:"
            + " the result is that of data_parallel where the strategy says so; ranks agree; delays"
            + " of messages change nothing; a stopped run goes on to the same bytes, also on other"
            + " numbers of ranks; when a rank is killed or falls silent all others are told, and the"
            + " run can be resumed. federated: the same of the algorithms of federate, and a server"
            + " and clients over loopback give the bytes of the simulation.",
        "",
        "Exit code 7 if a check fails."
      },
      footer = {
        "",
        "Examples:",
        "  lockstep verify strategy all --ranks 4",
        "  LOCKSTEP_CLASSPATH=sign-sgd.jar lockstep verify strategy sign_sgd --schedules 100"
      })
  int strategy(
      @Parameters(paramLabel = "TYPE", description = "A strategy.type, federated, or all.")
          String type,
      @Option(
              names = "--ranks",
              paramLabel = "N",
              defaultValue = "4",
              description = "Ranks (${DEFAULT-VALUE}).")
          int ranks,
      @Option(
              names = "--backend",
              defaultValue = "AUTO",
              description = "auto, tcp or shared_memory (${DEFAULT-VALUE}).")
          CommunicatorConfig.Choice backend,
      @Option(
              names = "--schedules",
              paramLabel = "N",
              defaultValue = "1000",
              description = "Runs with delays of their own (${DEFAULT-VALUE}).")
          int schedules,
      @Option(
              names = "--faults",
              paramLabel = "N",
              defaultValue = "10",
              description =
                  "Runs in which a rank is killed, and as many in which one falls silent"
                      + " (${DEFAULT-VALUE}).")
          int faults,
      @Option(
              names = "--seed",
              paramLabel = "N",
              defaultValue = "1",
              description = "Of delays and of the moments of faults (${DEFAULT-VALUE}).")
          long seed,
      @Option(
              names = "--limit",
              paramLabel = "SECONDS",
              defaultValue = "60",
              description = "After which a run counts as hanging (${DEFAULT-VALUE}).")
          int limit) {
    Set<String> types = new TreeSet<>(StrategyVerification.types());
    types.add(FederationVerification.TYPE);
    boolean all = type.equals(StrategyVerification.ALL);
    if (!all && !types.contains(type)) {
      throw new ParameterException(
          spec.commandLine(),
          "there is no strategy " + type + "; there are " + String.join(", ", types) + ", and all");
    }
    if (ranks < 2 || ranks > MOST_RANKS) {
      throw new ParameterException(
          spec.commandLine(), "--ranks must be 2 to " + MOST_RANKS + ", not " + ranks);
    }
    if (schedules < 0 || faults < 0 || limit < 1) {
      throw new ParameterException(
          spec.commandLine(), "--schedules and --faults must not be negative, --limit at least 1");
    }
    if (!LOCAL.contains(backend)) {
      throw new ParameterException(
          spec.commandLine(), "--backend must be auto, tcp or shared_memory, not " + backend);
    }
    TorchLibraries.load();
    VerificationPlan plan =
        new VerificationPlan(backend, ranks, schedules, faults, seed, Duration.ofSeconds(limit));
    List<Finding> findings = new ArrayList<>();
    if (!type.equals(FederationVerification.TYPE)) {
      findings.addAll(new StrategyVerification(plan).run(type, VerifyCommand::print));
    }
    if (all || type.equals(FederationVerification.TYPE)) {
      findings.addAll(new FederationVerification(plan).run(VerifyCommand::print));
    }
    long failed = findings.stream().filter(finding -> !finding.passed()).count();
    if (failed > 0) {
      System.err.println(
          "lockstep: "
              + failed
              + " of "
              + findings.size()
              + " checks failed; FAILED above says how");
      return ExitCode.UNHEALTHY;
    }
    System.out.println("all " + findings.size() + " checks passed on " + ranks + " ranks");
    return ExitCode.OK;
  }

  private static void print(Finding finding) {
    System.out.println(
        String.format(
            Locale.ROOT,
            "%-18s %-24s %-22s %-7s %s",
            finding.strategy(),
            finding.setting(),
            finding.check(),
            finding.passed() ? "passed" : "FAILED",
            finding.detail()));
  }
}
