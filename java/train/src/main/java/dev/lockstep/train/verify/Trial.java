package dev.lockstep.train.verify;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.CheckpointConfig;
import dev.lockstep.checkpoint.CheckpointStore;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.train.MeshConfig;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.ScheduleConfig;
import dev.lockstep.train.StrategyConfig;
import dev.lockstep.train.TrainingConfig;
import dev.lockstep.train.TrainingJob;
import dev.lockstep.train.TrainingPlan;
import dev.lockstep.train.TrainingResult;
import dev.lockstep.train.strategy.tensor.TensorParallel;
import dev.lockstep.train.verify.TrialGroup.Conditions;
import dev.lockstep.train.verify.TrialGroup.Ending;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One small training run whose ranks are threads of this process.
 *
 * @param strategy how the ranks work together
 * @param optimizer of the run
 * @param training what the run's training section says beyond the trial's
 * @param backend between the ranks: auto, tcp or shared_memory
 * @param ranks how many
 * @param timeoutSeconds deadline of each operation
 * @param limit after which ranks that have not ended count as hanging
 */
record Trial(
    StrategyConfig strategy,
    OptimizerConfig optimizer,
    UnaryOperator<TrainingConfig> training,
    CommunicatorConfig.Choice backend,
    int ranks,
    double timeoutSeconds,
    Duration limit) {
  static final int EPOCHS = 3;

  /** 3 epochs of 4 steps, of which the last has 2 samples: with 3 ranks or more, some have none. */
  static final int STEPS = 12;

  private static final int SAMPLES = 122;
  private static final int BATCH = 32;
  private static final int WIDTH = 8;

  /**
   * Runs.
   *
   * @param folder of checkpoints; null to write nothing
   * @return by rank
   */
  List<Ending<TrainingResult>> run(@Nullable Path folder, boolean resume, Conditions conditions) {
    return new TrialGroup(backend, ranks, timeoutSeconds, limit)
        .run(conditions, group -> train(group, folder, resume, conditions));
  }

  private TrainingResult train(
      Communicator group, @Nullable Path folder, boolean resume, Conditions conditions) {
    try (Dataset data = DataFiles.open(TrialChecks.data(SAMPLES))) {
      TrainingJob[] job = new TrainingJob[1];
      TrainingListener listener =
          event -> {
            if (event instanceof StepDone done
                && done.steps() == conditions.stopsAfter(group.rank())) {
              job[0].requestStop();
            }
          };
      job[0] =
          new TrainingJob(
              plan(),
              data,
              TrialChecks.split(SAMPLES),
              group,
              listener,
              Optional.ofNullable(folder).map(RunFolder::new));
      return job[0].run(resume);
    }
  }

  private TrainingPlan plan() {
    return new TrainingPlan(
        "verify",
        3,
        1,
        ModelConfig.of(null, List.of(WIDTH, WIDTH), null, null, null),
        training.apply(TrainingConfig.of(EPOCHS, BATCH, null, null, null, null, null)),
        optimizer,
        ScheduleConfig.defaults(),
        strategy,
        CheckpointConfig.of(1, 100),
        mesh());
  }

  /**
   * The model has three layers, which 5 or 7 ranks cannot share out among pipelines, and whose
   * width more than 8 ranks cannot.
   */
  private MeshConfig mesh() {
    if (strategy.type().equals(TensorParallel.TYPE)) {
      int slices = Math.min(ranks, WIDTH);
      while (ranks % slices != 0) {
        slices--;
      }
      return new MeshConfig(null, null, slices);
    }
    return ranks % 2 == 0 || ranks % 3 == 0 ? MeshConfig.defaults() : new MeshConfig(null, 1, null);
  }

  /** The newest checkpoint in a folder. */
  static Optional<Checkpoint> checkpoint(Path folder) {
    return new CheckpointStore(new RunFolder(folder).checkpoints(), 100)
        .latest(any -> Optional.empty())
        .checkpoint();
  }
}
