package dev.lockstep.monitor;

import java.util.List;
import java.util.Optional;

/** Something that happened in a training run. More kinds may come; ignore those you do not know. */
public sealed interface TrainingEvent {
  /** The run is about to take its first step. */
  record Started(RunStart run) implements TrainingEvent {}

  /**
   * One optimiser step is done.
   *
   * @param epoch the epoch, counted from 1
   * @param step steps done in this epoch, counted from 1
   * @param steps steps done since the run began
   * @param loss the mean loss of this rank's samples in the step; NaN if it had none
   */
  record StepDone(int epoch, int step, long steps, double loss) implements TrainingEvent {}

  /**
   * The held-out samples have been scored within an epoch; at its end, {@link EpochDone} says it.
   *
   * @param epoch the epoch, counted from 1
   * @param steps steps done since the run began
   * @param loss their mean loss, over all ranks; NaN when none are held out
   */
  record Validated(int epoch, long steps, double loss, ValidationScores scores)
      implements TrainingEvent {}

  /** An epoch is done, and its validation if there is one; over all ranks. */
  record EpochDone(EpochRecord epoch) implements TrainingEvent {}

  /**
   * A checkpoint has been copied and is being written.
   *
   * @param steps steps done since the run began
   * @param blockedSeconds how long training stood still for it
   */
  record CheckpointTaken(long steps, double blockedSeconds) implements TrainingEvent {}

  /**
   * Training is over and the model file is written.
   *
   * @param predictions the held-out samples' predictions by target; empty when there are none to
   *     plot, as for a classifier
   * @param maps of the samples kept for the end; empty if there are none, or they are no maps
   */
  record Finished(RunSummary summary, List<TargetPredictions> predictions, Optional<FieldMaps> maps)
      implements TrainingEvent {
    public Finished {
      predictions = List.copyOf(predictions);
    }

    /** Without maps. */
    public Finished(RunSummary summary, List<TargetPredictions> predictions) {
      this(summary, predictions, Optional.empty());
    }
  }
}
