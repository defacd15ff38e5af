package dev.lockstep.train;

/** What a process has trained, epoch by epoch, and since when. Not thread-safe. */
final class RunTotals {
  private final long started = System.nanoTime();
  private double trainLoss = Double.NaN;
  private long samples;
  private double seconds;

  void add(double epochTrainLoss, long epochSamples, double epochSeconds) {
    trainLoss = epochTrainLoss;
    samples += epochSamples;
    seconds += epochSeconds;
  }

  /** Since this process began to train, with whichever ranks. */
  double secondsSinceStart() {
    return (System.nanoTime() - started) * 1e-9;
  }

  /** The mean loss of the last epoch; NaN before the first. */
  double trainLoss() {
    return trainLoss;
  }

  double seconds() {
    return seconds;
  }

  double samplesPerSecond() {
    return seconds > 0 ? samples / seconds : 0;
  }
}
