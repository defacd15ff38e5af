package dev.lockstep.train;

/**
 * Steps that were left out because gradients overflowed at the loss scale.
 *
 * @param steps since the run began
 * @param samples of this epoch, over all ranks, that were not trained on
 */
record Skipped(long steps, long samples) {
  static final Skipped NONE = new Skipped(0, 0);

  /** With one more, of so many samples. */
  Skipped with(int of) {
    return new Skipped(steps + 1, samples + of);
  }

  /** When the next epoch begins. */
  Skipped nextEpoch() {
    return new Skipped(steps, 0);
  }
}
