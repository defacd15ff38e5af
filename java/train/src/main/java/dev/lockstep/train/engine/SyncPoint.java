package dev.lockstep.train.engine;

/** For what ranks need equal parameters. */
public enum SyncPoint {
  /** The held-out samples are about to be scored. */
  EVALUATION,
  /** The state is about to be saved. */
  CHECKPOINT,
  /** The run ends. */
  END
}
