package dev.lockstep.train.engine;

/** A part that has something to save in a checkpoint. */
public interface Stateful {
  /** Names what is saved and restored, and where it lies among the ranks; called once. */
  void declare(TrainingState state);
}
