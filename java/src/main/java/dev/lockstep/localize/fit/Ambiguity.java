package dev.lockstep.localize.fit;

/**
 * A sensor that has a mirror image which fits its distances as well, as one that is seen from
 * nearly collinear neighbours has.
 *
 * @param sensor its number
 * @param alternative the other position's coordinates; not to be changed
 * @param costDifference of the whole network's cost, alternative less estimate; may be negative
 */
@SuppressWarnings("ArrayRecordComponent") // A point; compared by nobody.
public record Ambiguity(int sensor, double[] alternative, double costDifference) {}
