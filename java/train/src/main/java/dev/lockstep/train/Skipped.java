package dev.lockstep.train;

/**
 * Steps that were left out because gradients overflowed at the loss scale.
 *
 * @param steps since the run began
 * @param samples of this epoch, over all ranks, that were not trained on
 * @param scheduled what the schedule does not count since the run began, in {@link
 *     BatchPlan#scheduledSamples}; 0 in older checkpoints
 */
record Skipped(long steps, long samples, long scheduled) {
  static final Skipped NONE = new Skipped(0, 0, 0);

  /** With one more, of so many samples. */
  Skipped with(int of, long ofSchedule) {
    return new Skipped(steps + 1, samples + of, scheduled + ofSchedule);
  }

  /** When the next epoch begins. */
  Skipped nextEpoch() {
    return new Skipped(steps, 0, scheduled);
  }
}
