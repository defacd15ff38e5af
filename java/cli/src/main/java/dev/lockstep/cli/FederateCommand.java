package dev.lockstep.cli;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.LockstepException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.RankContext;
import dev.lockstep.config.ConfigException;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.ConfigProblem;
import dev.lockstep.config.EnvironmentVariable;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.federated.Federation;
import dev.lockstep.federated.FederationClient;
import dev.lockstep.federated.FederationListener;
import dev.lockstep.federated.FederationResult;
import dev.lockstep.federated.RoundReport;
import dev.lockstep.monitor.FitRecording;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.Terminal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code lockstep federate}: a rank of a simulated federation, or the server or a client of one.
 */
@Command(
    name = "federate",
    description = {
      "Federated training as a YAML file says: clients with data of their own train the model, and a"
          + " server joins what they learnt. Simulated, alone or as one rank under launch, mpirun or"
          + " srun; with --server and --client in processes of their own, which meet at"
          + " federation.network.address. The server's LOCKSTEP_TOKEN is its secret, from which"
          + " --token-of makes the token of each client.",
      "",
      "Rank 0, or the server, records the run in runs/<name>/: configuration, metrics,"
          + " federation.json, plots, model.pt. A client writes the final model to"
          + " runs/<name>-client-<N>.pt. The model has the same bytes on any number of ranks."
    },
    footer = {
      "",
      "Examples:",
      "  lockstep federate examples/federated-heat-flux.yaml",
      "  lockstep launch -n 2 -- federate examples/federated-fashion-mnist.yaml",
      "  lockstep federate mine.yaml --set federation.partition.alpha=0.1 --resume",
      "  lockstep federate clinics.yaml --server",
      "  lockstep federate clinics.yaml --token-of 3",
      "  lockstep federate clinics.yaml --client 3 --set data.path=ours.csv"
    })
final class FederateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private RunOptions options;

  @ArgGroup(exclusive = true)
  private @Nullable Role role;

  /** What this process is, unless it simulates. */
  private static final class Role {
    @Option(names = "--server", description = "Be the server; clients come over the network.")
    private boolean server;

    @Option(
        names = "--client",
        paramLabel = "N",
        description = "Be client N, from 0, with data: of its own.")
    private @Nullable Integer client;

    @Option(
        names = "--token-of",
        paramLabel = "N",
        description = "Print the LOCKSTEP_TOKEN of client N, made of the server's.")
    private @Nullable Integer tokenOf;
  }

  private final AtomicBoolean stop = new AtomicBoolean();

  @Override
  public Integer call() {
    FederateConfig config =
        ConfigLoader.load(FederateConfig.class, options.file(), options.overrides());
    if (role != null && role.tokenOf != null) {
      return printToken(config, role.tokenOf);
    }
    DataConfig data = config.data();
    try (Dataset dataset = placed("data", () -> DataFiles.open(data))) {
      Split split = placed("data", () -> dataset.split(data));
      if (role != null && role.client != null) {
        return client(config, dataset, split, role.client);
      }
      boolean server = role != null;
      Optional<byte[]> token = server ? Optional.of(token()) : Optional.empty();
      try (Communicator group = server ? Communicator.single() : group(config);
          MDC.MDCCloseable ignored = RankContext.enter(group.rank())) {
        Signals.onTerminate(() -> stop.set(true));
        if (group.rank() != 0) {
          return exitCode(federate(config, dataset, split, group, token, new Follower()));
        }
        try (FitRecording recording = recording(config)) {
          FederationReport report = new FederationReport(config, recording);
          Leader leader = new Leader(report, config.federation().rounds());
          FederationResult result = federate(config, dataset, split, group, token, leader);
          if (result.stopped()) {
            System.err.println(
                "lockstep: stopped by SIGTERM after round "
                    + result.rounds()
                    + "; --resume goes on from it");
          } else {
            report.finish(result, group, System.out);
          }
          return exitCode(result);
        }
      }
    }
  }

  private static Communicator group(FederateConfig config) {
    return Communicator.fromEnvironment(
        RunOptions.recordedIn(config.folder(), config.communicator()));
  }

  private int printToken(FederateConfig config, int client) {
    placed("federation", config.plan()::network); // says how many clients there are
    int clients = config.federation().clients();
    if (client < 0 || client >= clients) {
      throw new ParameterException(
          spec.commandLine(),
          "--token-of " + client + ": federation.clients are 0 to " + (clients - 1));
    }
    byte[] token = Federation.clientToken(token(), client);
    System.out.println(new String(token, StandardCharsets.US_ASCII));
    return ExitCode.OK;
  }

  private byte[] token() {
    String token = System.getenv(EnvironmentVariable.LOCKSTEP_TOKEN.name());
    byte[] bytes = token == null ? new byte[0] : token.getBytes(StandardCharsets.UTF_8);
    if (bytes.length < Federation.SHORTEST_TOKEN) {
      throw new ParameterException(
          spec.commandLine(),
          "set LOCKSTEP_TOKEN: for the server to a secret of at least "
              + Federation.SHORTEST_TOKEN
              + " bytes, as from openssl rand -hex 32; for a client to what --token-of prints there");
    }
    return bytes;
  }

  private int client(FederateConfig config, Dataset dataset, Split split, int number) {
    byte[] token = token();
    Path model =
        Path.of(config.output().folder()).resolve(config.name() + "-client-" + number + ".pt");
    try (FederationClient client =
        placed(
            "federation",
            () -> new FederationClient(config.plan(), number, dataset, split.train(), token))) {
      Signals.onTerminate(client::close);
      boolean ended =
          placed("federation", () -> client.run(FederateCommand::show, Optional.of(model)));
      System.out.println(ended ? "The federation has ended; its model is in " + model : "Left.");
      return ended ? ExitCode.OK : ExitCode.TERMINATED;
    }
  }

  private static void show(FederationClient.Trained trained) {
    System.out.printf(
        Locale.ROOT,
        "round %d: trained with %d samples, loss %.6g%n",
        trained.round(),
        trained.samples(),
        trained.loss());
  }

  private static int exitCode(FederationResult result) {
    return result.stopped() ? ExitCode.CHECKPOINTED : ExitCode.OK;
  }

  private FederationResult federate(
      FederateConfig config,
      Dataset dataset,
      Split split,
      Communicator group,
      Optional<byte[]> token,
      FederationListener listener) {
    RunFolder folder = config.folder();
    Optional<Path> checkpoint = Optional.of(FitRecording.federationCheckpoint(folder));
    return placed(
        "federation",
        () -> {
          Federation simulated =
              new Federation(config.plan(), dataset, split, group, listener, checkpoint);
          return token
              .map(simulated::overNetwork)
              .orElse(simulated)
              .run(options.resume(), Optional.of(folder.model()));
        });
  }

  private FitRecording recording(FederateConfig config) {
    return new FitRecording(
        FitRecording.Words.FEDERATION,
        config.folder(),
        options.resume(),
        ConfigLoader.toYaml(config),
        config.output(),
        System.out,
        Terminal.attached());
  }

  /** Data that does not have what the configuration asks for is a problem of the configuration. */
  private <T> T placed(String section, Supplier<T> step) {
    try {
      return step.get();
    } catch (ConfigKeyException e) {
      throw new ConfigException(
          List.of(new ConfigProblem(options.file() + ": " + section + "." + e.key(), e.text())));
    } catch (IllegalArgumentException e) {
      throw new ConfigException(
          List.of(
              new ConfigProblem(options.file() + ": " + section, LockstepException.messageOf(e))));
    }
  }

  /** Any rank, but the recording one. */
  private class Follower implements FederationListener {
    @Override
    public boolean stopRequested() {
      return stop.get();
    }
  }

  private final class Leader extends Follower {
    private final FederationReport report;
    private final int rounds;

    Leader(FederationReport report, int rounds) {
      this.report = report;
      this.rounds = rounds;
    }

    @Override
    public void round(RoundReport round) {
      report.round(round, rounds);
    }
  }
}
