package dev.lockstep.monitor;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A whole run's results: the contents of {@code summary.json}.
 *
 * @param trainLoss the last epoch's mean training loss
 * @param validationLoss the mean loss over the held-out samples; NaN when none are held out
 * @param scores the held-out samples' scores
 * @param samples training samples in the data set, over all ranks
 * @param worldSize the number of ranks
 * @param backend the communicator's backend, for example {@code tcp}
 * @param epochs epochs trained since the run began, those before a resume included
 * @param seconds wall-clock seconds of training since this process began or resumed it
 * @param samplesPerSecond training samples a second, over all ranks, start-up aside
 * @param communicationShare the share of the training time that rank 0 waited for communication, in
 *     [0, 1]
 * @param parametersSha256 SHA-256 in lower-case hexadecimal of each rank's parameters, in rank
 *     order
 * @param test the scores of the samples kept for the end; empty if there are none
 */
public record RunSummary(
    double trainLoss,
    double validationLoss,
    ValidationScores scores,
    long samples,
    int worldSize,
    String backend,
    int epochs,
    double seconds,
    double samplesPerSecond,
    double communicationShare,
    List<String> parametersSha256,
    Optional<TestScores> test) {
  /** Without samples kept for the end. */
  public RunSummary(
      double trainLoss,
      double validationLoss,
      ValidationScores scores,
      long samples,
      int worldSize,
      String backend,
      int epochs,
      double seconds,
      double samplesPerSecond,
      double communicationShare,
      List<String> parametersSha256) {
    this(
        trainLoss,
        validationLoss,
        scores,
        samples,
        worldSize,
        backend,
        epochs,
        seconds,
        samplesPerSecond,
        communicationShare,
        parametersSha256,
        Optional.empty());
  }

  /**
   * Checks that there is a hash for each rank.
   *
   * @throws IllegalArgumentException if the hashes are not those of {@code worldSize} ranks
   */
  public RunSummary {
    parametersSha256 = List.copyOf(parametersSha256);
    if (parametersSha256.size() != worldSize) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "parametersSha256 has %d entries for %d ranks; give one a rank.",
              parametersSha256.size(),
              worldSize));
    }
  }
}
