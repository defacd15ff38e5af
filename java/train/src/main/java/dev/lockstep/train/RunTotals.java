package dev.lockstep.train;

/** What a process has trained, epoch by epoch. Not thread-safe. */
final class RunTotals {
  private double trainLoss = Double.NaN;
  private long samples;
  private double seconds;

  void add(double epochTrainLoss, long epochSamples, double epochSeconds) {
    trainLoss = epochTrainLoss;
    samples += epochSamples;
    seconds += epochSeconds;
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
