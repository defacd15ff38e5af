package dev.lockstep.monitor;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a run is, told before its first step.
 *
 * @param name the run's name
 * @param backend the communicator's backend, for example {@code tcp}
 * @param worldSize the number of ranks
 * @param threads libtorch threads of each rank
 * @param masterAddress where the ranks met, {@code host:port}; empty for backends without one
 * @param samplesPerRank training samples of each rank, in rank order
 * @param heldOutSamples validation samples, over all ranks
 * @param parameters trainable numbers in the model
 * @param firstEpoch the epoch about to run, counted from 1; above 1 after a resume
 * @param epochs the last epoch, unless the run stops early
 * @param stepsPerEpoch optimiser steps an epoch
 */
public record RunStart(
    String name,
    String backend,
    int worldSize,
    int threads,
    Optional<String> masterAddress,
    List<Long> samplesPerRank,
    long heldOutSamples,
    long parameters,
    int firstEpoch,
    int epochs,
    int stepsPerEpoch) {
  /**
   * Checks that there is an entry for each rank.
   *
   * @throws IllegalArgumentException if the samples are not those of {@code worldSize} ranks
   */
  public RunStart {
    samplesPerRank = List.copyOf(samplesPerRank);
    if (samplesPerRank.size() != worldSize) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "samplesPerRank has %d entries for %d ranks; give one a rank.",
              samplesPerRank.size(),
              worldSize));
    }
  }
}
