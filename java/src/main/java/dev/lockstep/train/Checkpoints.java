package dev.lockstep.train;

import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.CheckpointConfig;
import dev.lockstep.checkpoint.CheckpointStore;
import dev.lockstep.checkpoint.StoredTensor;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.train.engine.TrainingState;
import dev.lockstep.train.memory.NativeView;
import java.util.Arrays;
import java.util.List;

/** The checkpoints of a run: when they are due, and what goes into one. One thread. */
final class Checkpoints {
  private final TrainingAssembly run;
  private final DataFingerprint data;
  private final String modelStructure;
  private final Recurrence recurrence;

  /** Where a run stands. */
  record Position(DistributedSampler.Position sampler, long steps, double lossSum) {}

  Checkpoints(TrainingAssembly run, DataFingerprint data, String modelStructure) {
    this.run = run;
    this.data = data;
    this.modelStructure = modelStructure;
    CheckpointConfig config = run.task.plan().checkpoints();
    recurrence =
        new Recurrence(
            config.everyEpochs(), config.everySteps(), config.everySeconds(), System::nanoTime);
  }

  boolean isDueAfterStep(long steps) {
    return recurrence.isDueAfterStep(steps);
  }

  boolean isDueAfterEpoch(int epochs) {
    return recurrence.isDueAfterEpoch(epochs);
  }

  boolean isDueByClock() {
    return recurrence.isDueByClock();
  }

  /** Keeps the state as it is now; collective. */
  void save(Position position) {
    double[] lossSums = run.task.communicator().allGather(new double[] {position.lossSum()});
    recurrence.done();
    if (run.task.communicator().rank() != 0 || run.task.folder().isEmpty()) {
      return;
    }
    RunFolder folder = run.task.folder().get();
    Progress progress =
        new Progress(
            position.sampler(),
            run.trainingSamples.length,
            position.steps(),
            data,
            modelStructure,
            Progress.Normalizers.of(run.normalizers()),
            Arrays.stream(lossSums).boxed().toList(),
            run.state.values(),
            run.task.plan());
    List<StoredTensor> tensors = run.state.entries().stream().map(Checkpoints::stored).toList();
    new CheckpointStore(folder.checkpoints(), run.task.plan().checkpoints().keep())
        .save(new Checkpoint(position.steps(), tensors, progress.toJson()));
  }

  private static StoredTensor stored(TrainingState.Entry entry) {
    return new StoredTensor(
        entry.name(),
        entry.type(),
        entry.shape(),
        NativeView.bytes(entry.address(), entry.bytes()));
  }
}
