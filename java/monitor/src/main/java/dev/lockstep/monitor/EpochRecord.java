package dev.lockstep.monitor;

/**
 * One epoch's results, over all ranks: one line of {@code metrics.jsonl}.
 *
 * @param epoch the epoch, counted from 1
 * @param step optimiser steps since the run began, at the epoch's end
 * @param trainLoss the mean training loss over the epoch's samples
 * @param validationLoss the mean loss over the held-out samples; NaN when none are held out
 * @param scores the held-out samples' scores
 * @param learningRate the learning rate of the epoch's last step
 * @param samples training samples of the epoch
 * @param seconds wall-clock seconds of the epoch's training, validation not included
 * @param communicationShare the share of {@code seconds} that this rank waited for communication,
 *     in [0, 1]
 */
public record EpochRecord(
    int epoch,
    long step,
    double trainLoss,
    double validationLoss,
    ValidationScores scores,
    double learningRate,
    long samples,
    double seconds,
    double communicationShare) {
  /**
   * Returns the training throughput.
   *
   * @return training samples a second, over all ranks
   */
  public double samplesPerSecond() {
    return seconds > 0 ? samples / seconds : 0;
  }
}
