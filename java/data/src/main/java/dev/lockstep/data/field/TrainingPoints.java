package dev.lockstep.data.field;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The steps and lanes whose values a training may know. Immutable.
 *
 * @param steps whether any lane of a step is training's
 * @param ofLanes by step × lanes + lane; null if all lanes of the training's steps are
 * @param lanes of each step
 */
@SuppressWarnings("ArrayRecordComponent") // never changed; handed out within the package
record TrainingPoints(boolean[] steps, @Nullable BitSet ofLanes, int lanes) {
  boolean holds(int step, int lane) {
    return steps[step] && (ofLanes == null || ofLanes.get(step * lanes + lane));
  }
}
