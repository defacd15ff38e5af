package dev.lockstep.cli;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.RankContext;
import dev.lockstep.config.ConfigException;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.ConfigProblem;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.federated.Federation;
import dev.lockstep.federated.FederationListener;
import dev.lockstep.federated.FederationResult;
import dev.lockstep.federated.RoundReport;
import dev.lockstep.monitor.FitRecording;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.Terminal;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.MDC;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code lockstep federate}: this process is one rank of a simulated federation. */
@Command(
    name = "federate",
    description = {
      "Simulate federated training as a YAML file says: clients with data of their own train the"
          + " model, and a server joins what they learnt; alone, or as one rank under launch, mpirun"
          + " or srun.",
      "",
      "Rank 0 records the run in runs/<name>/: configuration, metrics, federation.json, plots,"
          + " model.pt. The model has the same bytes on any number of ranks."
    },
    footer = {
      "",
      "Examples:",
      "  lockstep federate examples/federated-heat-flux.yaml",
      "  lockstep launch -n 2 -- federate examples/federated-fashion-mnist.yaml",
      "  lockstep federate mine.yaml --set federation.partition.alpha=0.1 --resume"
    })
final class FederateCommand implements Callable<Integer> {
  @Mixin private RunOptions options;

  private final AtomicBoolean stop = new AtomicBoolean();

  @Override
  public Integer call() {
    FederateConfig config =
        ConfigLoader.load(FederateConfig.class, options.file(), options.overrides());
    DataConfig data = config.data();
    try (Dataset dataset = placed("data", () -> DataFiles.open(data))) {
      Split split = placed("data", () -> dataset.split(data));
      try (Communicator group =
              Communicator.fromEnvironment(
                  RunOptions.recordedIn(config.folder(), config.communicator()));
          MDC.MDCCloseable ignored = RankContext.enter(group.rank())) {
        Signals.onTerminate(() -> stop.set(true));
        if (group.rank() != 0) {
          return exitCode(federate(config, dataset, split, group, new Follower()));
        }
        try (FitRecording recording = recording(config)) {
          FederationReport report = new FederationReport(config, recording);
          FederationResult result =
              federate(
                  config, dataset, split, group, new Leader(report, config.federation().rounds()));
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

  private static int exitCode(FederationResult result) {
    return result.stopped() ? ExitCode.CHECKPOINTED : ExitCode.OK;
  }

  private FederationResult federate(
      FederateConfig config,
      Dataset dataset,
      Split split,
      Communicator group,
      FederationListener listener) {
    RunFolder folder = config.folder();
    Optional<Path> checkpoint = Optional.of(FitRecording.federationCheckpoint(folder));
    return placed(
        "federation",
        () ->
            new Federation(config.plan(), dataset, split, group, listener, checkpoint)
                .run(options.resume(), Optional.of(folder.model())));
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
          List.of(new ConfigProblem(options.file() + ": " + section, e.getMessage())));
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
