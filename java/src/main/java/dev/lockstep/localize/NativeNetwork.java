package dev.lockstep.localize;

import dev.lockstep.localize.network.Neighbors;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.Noise;

/** A network's copy in native memory, for one call. */
final class NativeNetwork implements AutoCloseable {
  final NativeArray anchorPositions;
  final NativeArray sensorPairs;
  final NativeArray sensorDistances;
  final NativeArray sensorDeviations;
  final NativeArray anchorPairs;
  final NativeArray anchorDistances;
  final NativeArray anchorDeviations;
  final NativeArray neighborOffsets;
  final NativeArray neighbors;

  NativeNetwork(Network network, Noise noise) {
    Neighbors given = network.neighbors();
    anchorPositions = NativeArray.of(network.anchorPositions());
    sensorPairs = NativeArray.of(network.sensorRanges().pairs());
    sensorDistances = NativeArray.of(network.sensorRanges().distances());
    sensorDeviations = NativeArray.of(noise.constantParts(network.sensorRanges()));
    anchorPairs = NativeArray.of(network.anchorRanges().pairs());
    anchorDistances = NativeArray.of(network.anchorRanges().distances());
    anchorDeviations = NativeArray.of(noise.constantParts(network.anchorRanges()));
    neighborOffsets = NativeArray.of(given == null ? new long[0] : given.offsets());
    neighbors = NativeArray.of(given == null ? new int[0] : given.sensors());
  }

  @Override
  public void close() {
    for (NativeArray array :
        new NativeArray[] {
          anchorPositions,
          sensorPairs,
          sensorDistances,
          sensorDeviations,
          anchorPairs,
          anchorDistances,
          anchorDeviations,
          neighborOffsets,
          neighbors
        }) {
      array.close();
    }
  }
}
