package dev.lockstep.train.engine;

/**
 * Hears from a backward pass that completes a step's gradients. On the thread of the step; what it
 * throws ends the step.
 */
public interface GradientSink {
  /** For backward passes that are followed by others in the same step. */
  GradientSink NONE = lossIsFinite -> {};

  /**
   * The last forward pass of the step is done, and backward is about to begin. Also called by ranks
   * that have no samples.
   *
   * @param lossIsFinite whether all of this rank's losses of the step are finite
   */
  void backwardBegins(boolean lossIsFinite);

  /**
   * Whether {@link #ready} is to hear of each gradient while backward goes on. Gradients are then
   * complete one by one; otherwise all are when backward has ended.
   */
  default boolean wantsEach() {
    return false;
  }

  /** This rank's gradient of a parameter is complete in the flat buffer. */
  default void ready(int parameter) {}
}
