package dev.lockstep.cli;

import dev.lockstep.LockstepException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.RankContext;
import dev.lockstep.comm.profile.CommunicationProfile;
import dev.lockstep.comm.profile.Timeline;
import dev.lockstep.config.ConfigException;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.ConfigProblem;
import dev.lockstep.config.RunConfig;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.monitor.PrometheusRecorder;
import dev.lockstep.monitor.Recording;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.torch.TorchLibraries;
import dev.lockstep.train.TrainingJob;
import dev.lockstep.train.TrainingResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lockstep train}: this process is one rank of a training run. */
@Command(
    name = "train",
    description = {
      "Train a model as a YAML file says; alone, or as one rank under launch, mpirun or srun.",
      "",
      "Rank 0 records the run in runs/<name>/: configuration, metrics, plots, checkpoints, model.pt."
    },
    footer = {
      "",
      "Examples:",
      "  lockstep train examples/heat-flux.yaml --set training.epochs=5",
      "  lockstep launch -n 2 -- train examples/heat-flux.yaml",
      "  mpirun -n 2 lockstep train examples/heat-flux.yaml --resume"
    })
final class TrainCommand implements Callable<Integer> {
  @Mixin private RunOptions options;

  @Option(
      names = "--create-data",
      description = "Train on synthetic data instead of the data that the file names.")
  private boolean createData;

  @Option(
      names = "--profile",
      description = "Print what every rank spent in which operation, when the run is over.")
  private boolean profile;

  @Option(
      names = "--timeline",
      paramLabel = "FILE",
      description =
          "Write all ranks' operations in Chrome's trace format: short for --set"
              + " communicator.timeline=FILE.")
  private @Nullable String timeline;

  @Override
  public Integer call() {
    RunConfig config = ConfigLoader.load(RunConfig.class, options.file(), overrides());
    // Data that is not there or does not fit is found before any rank connects.
    DataConfig data = config.data();
    try (Dataset dataset = placed(() -> DataFiles.open(data))) {
      Split split = placed(() -> dataset.split(data));
      TorchLibraries.load();
      try (Communicator group =
              Communicator.fromEnvironment(
                  RunOptions.recordedIn(config.folder(), config.communicator()));
          MDC.MDCCloseable ignored = RankContext.enter(group.rank());
          TrainingListener recorder = recorder(config, group)) {
        return train(config, dataset, split, group, recorder);
      }
    }
  }

  private int train(
      RunConfig config,
      Dataset dataset,
      Split split,
      Communicator group,
      TrainingListener recorder) {
    TrainingJob job =
        new TrainingJob(
            config.plan(), dataset, split, group, recorder, Optional.of(config.folder()));
    Signals.onTerminate(job::requestStop);
    Optional<Path> trace = config.communicator().timelineFile();
    Optional<Timeline> recording =
        trace.map(file -> Timeline.start(group, Timeline.DEFAULT_OPERATIONS));
    TrainingResult result = job.run(options.resume());
    recording.ifPresent(operations -> operations.write(trace.orElseThrow()));
    if (profile) {
      CommunicationProfile.gather(group).ifPresent(all -> System.out.print(all.table()));
    }
    if (!result.stopped()) {
      return ExitCode.OK;
    }
    if (group.rank() == 0) {
      System.err.println(
          "lockstep: stopped by SIGTERM at step "
              + result.step()
              + "; the checkpoint is in "
              + config.folder().checkpoints()
              + ", --resume goes on from it");
    }
    return ExitCode.CHECKPOINTED;
  }

  private TrainingListener recorder(RunConfig config, Communicator group) {
    if (group.rank() != 0) {
      return TrainingListener.none();
    }
    TrainingListener recording =
        Recording.of(
                config.folder(), options.resume(), ConfigLoader.toYaml(config), config.output())
            .open();
    return TrainingListener.all(
        List.of(
            recording, new PrometheusRecorder(config.folder().prometheus(), group::statistics)));
  }

  /** Data that does not have what the configuration asks for is a problem of the configuration. */
  private <T> T placed(Supplier<T> step) {
    try {
      return step.get();
    } catch (IllegalArgumentException e) {
      throw new ConfigException(
          List.of(new ConfigProblem(options.file() + ": data", LockstepException.messageOf(e))));
    }
  }

  private List<String> overrides() {
    List<String> all = new ArrayList<>();
    if (createData) {
      all.add("data={synthetic: {}}");
    }
    all.addAll(options.overrides());
    if (timeline != null) {
      all.add("communicator.timeline=" + RunOptions.quoted(timeline));
    }
    return all;
  }
}
