package dev.lockstep.cli;

import dev.lockstep.comm.Communicator;
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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.MDC;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

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
  @Mixin private RunOptions options;

  private final AtomicBoolean stop = new AtomicBoolean();

  @Override
  public Integer call() {
    FitConfig config = ConfigLoader.load(FitConfig.class, options.file(), options.overrides());
    try (Communicator group =
            Communicator.fromEnvironment(
                RunOptions.recordedIn(config.folder(), config.communicator()));
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
        FitRecording.Words.FIT,
        config.folder(),
        options.resume(),
        ConfigLoader.toYaml(config),
        config.output(),
        System.out,
        Terminal.attached());
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
