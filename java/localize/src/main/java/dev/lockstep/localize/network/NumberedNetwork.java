package dev.lockstep.localize.network;

import org.jspecify.annotations.Nullable;

/**
 * A network whose anchors and sensors have numbers and no names. Arrays are not to be changed.
 *
 * @param dimension 2 or 3
 * @param anchorPositions f64[anchors × dimension]
 * @param sensors how many there are
 * @param truth f64[sensors × dimension], where it is known
 * @param sensorRanges between sensors
 * @param anchorRanges from sensors to anchors
 * @param neighbors of each sensor in the splitting; null where they are to be chosen
 * @param noiseFactor the standard deviation of a distance as a fraction of it; NaN if not known
 */
@SuppressWarnings("ArrayRecordComponent") // Read once, never compared.
public record NumberedNetwork(
    int dimension,
    double[] anchorPositions,
    int sensors,
    double @Nullable [] truth,
    RangeList sensorRanges,
    RangeList anchorRanges,
    @Nullable Neighbors neighbors,
    double noiseFactor) {

  /**
   * The network.
   *
   * @throws NetworkException when there are too few anchors, or sensors that cannot be located
   */
  public Network checked() {
    Network.Parts parts = new Network.Parts();
    parts.dimension = dimension;
    parts.anchorPositions = anchorPositions;
    parts.sensors = sensors;
    parts.truth = truth;
    parts.sensorRanges = sensorRanges.toRanges();
    parts.anchorRanges = anchorRanges.toRanges();
    parts.everyRangeHasDeviation =
        parts.sensorRanges.haveDeviations() && parts.anchorRanges.haveDeviations();
    parts.repeatedPairs = sensorRanges.repeatedPairs() + anchorRanges.repeatedPairs();
    parts.neighbors = neighbors;
    parts.noiseFactor = noiseFactor;
    return References.checked(new Network(parts));
  }
}
