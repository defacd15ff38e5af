package dev.lockstep.model;

import java.util.List;

/**
 * Hears which stages a training pass is about to compute, so that their parameters can be made
 * ready. On the thread of the pass; what it throws ends the pass.
 */
public interface PassListener {
  /** For parameters that are always ready. */
  PassListener NONE = new PassListener() {};

  /**
   * The indices of the stages that begin a group, but for the first group's, ascending. The stages
   * of a group are differentiated together, and apart from those of other groups.
   */
  default List<Integer> cuts() {
    return List.of();
  }

  /** A stage is about to be applied: in the forward pass, or once more in the backward pass. */
  default void forwardBegins(int stage) {}

  /**
   * The stages of a group are about to be differentiated. Not called where there are no cuts.
   *
   * @param group its index
   */
  default void backwardBegins(int group) {}
}
