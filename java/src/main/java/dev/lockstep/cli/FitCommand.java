package dev.lockstep.cli;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.RankContext;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.FitConfig;
import dev.lockstep.learn.FitListener;
import dev.lockstep.learn.FitStoppedException;
import dev.lockstep.learn.LearnedModel;
import dev.lockstep.learn.Learners;
import dev.lockstep.learn.LearningException;
import dev.lockstep.learn.Table;
import dev.lockstep.learn.TableReader;
import dev.lockstep.monitor.FitRecording;
import dev.lockstep.monitor.Terminal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lockstep fit}: this process is one rank of a fit of clusters or trees. */
@Command(
    name = "fit",
    description = {
      "Fit k-means, a random forest or boosted trees as a YAML file says; alone, or as one rank"
          + " under launch, mpirun or srun.",
      "",
      "Rank 0 records the run in runs/<name>/: configuration, metrics, plots, model.json. The model's"
          + " bytes are the same on any number of ranks, wherever the rows lie."
    },
    footer = {
      "",
      "Examples:",
      "  lockstep fit examples/clusters.yaml",
      "  lockstep launch -n 2 -- fit examples/boosting.yaml --set learner.rounds=200",
      "  mpirun -n 4 lockstep fit mine.yaml --resume"
    })
final class FitCommand implements Callable<Integer> {
  @Parameters(paramLabel = "CONFIG", description = "The YAML file.")
  private Path file;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a key, as in --set learner.clusters=20; may be repeated.")
  private List<String> overrides = List.of();

  @Option(names = "--resume", description = "Go on from the run's checkpoint.")
  private boolean resume;

  @Option(names = "--name", description = "The run's name: short for --set name=NAME.")
  private @Nullable String name;

  @Option(
      names = "--backend",
      description = "${COMPLETION-CANDIDATES}: short for --set communicator.backend=…")
  private CommunicatorConfig.@Nullable Choice backend;

  private final AtomicBoolean stop = new AtomicBoolean();

  @Override
  public Integer call() {
    FitConfig config = ConfigLoader.load(FitConfig.class, file, allOverrides());
    try (Communicator group = Communicator.fromEnvironment(communicator(config));
        MDC.MDCCloseable ignored = RankContext.enter(group.rank());
        Table table = read(config, group)) {
      Signals.onTerminate(() -> stop.set(true));
      if (group.rank() != 0) {
        fit(config, group, table, new Follower());
        return ExitCode.OK;
      }
      try (FitRecording recording = recording(config)) {
        long begin = System.nanoTime();
        LearnedModel model = fit(config, group, table, new Leader(config, recording));
        FitReport report = new FitReport(config, model, table, recording.steps());
        recording.finish(
            model.toJson(), report.facts(group, begin), model.scores(), report.plots());
        report.print(System.out, recording.modelFile(), begin);
      }
      return ExitCode.OK;
    } catch (FitStoppedException e) {
      System.err.println(
          "lockstep: stopped by SIGTERM after step " + e.step() + "; --resume goes on from it");
      return ExitCode.CHECKPOINTED;
    }
  }

  private Table read(FitConfig config, Communicator group) {
    Table table = TableReader.read(config.data(), group);
    long[] rows = {table.rows()};
    if (group.allReduce(rows, ReduceOp.SUM)[0] == 0) {
      table.close();
      throw new LearningException(
          "There are no rows in " + config.data().path() + "; a fit needs at least one.");
    }
    return table;
  }

  private static LearnedModel fit(
      FitConfig config, Communicator group, Table table, FitListener listener) {
    try {
      return Learners.fit(config.learner(), config.data(), config.seed(), group, table, listener);
    } catch (IllegalArgumentException e) {
      throw new LearningException(config.data().path() + ": " + e.getMessage(), e);
    }
  }

  private FitRecording recording(FitConfig config) {
    return new FitRecording(
        config.folder(),
        resume,
        ConfigLoader.toYaml(config),
        config.output(),
        System.out,
        Terminal.attached());
  }

  /** Without a word about it, the last operations before an error go to the run's folder. */
  private static CommunicatorConfig communicator(FitConfig config) {
    CommunicatorConfig communicator = config.communicator();
    return communicator.flightRecorderFolder().isPresent()
        ? communicator
        : communicator.withFlightRecorder(config.folder().path().toString());
  }

  private List<String> allOverrides() {
    List<String> all = new ArrayList<>(overrides);
    if (name != null) {
      all.add("name='" + name.replace("'", "''") + "'");
    }
    if (backend != null) {
      all.add("communicator.backend=" + backend.name().toLowerCase(Locale.ROOT));
    }
    return all;
  }

  /** Any rank, but the recording one. */
  private class Follower implements FitListener {
    @Override
    public boolean stopRequested() {
      return stop.get();
    }
  }

  private final class Leader extends Follower {
    private final FitConfig config;
    private final FitRecording recording;

    Leader(FitConfig config, FitRecording recording) {
      this.config = config;
      this.recording = recording;
    }

    @Override
    public void step(int step, int steps, Map<String, Double> values) {
      recording.step(step, steps, new LinkedHashMap<>(values));
    }

    @Override
    public void phase(String phase, double seconds) {
      recording.phase(phase, seconds);
    }

    @Override
    public int checkpointEvery() {
      return config.checkpointEvery();
    }

    @Override
    public void checkpoint(int step, String state) {
      recording.checkpoint(state);
    }

    @Override
    public Optional<String> resumeFrom() {
      return recording.resumeFrom();
    }
  }
}
