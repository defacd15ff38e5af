package dev.lockstep.train.memory;

import org.bytedeco.pytorch.Tensor;

/** Where backward passes add up the gradients of a step. One thread. */
public interface GradientMemory {
  /** A step begins: all gradients are zero. */
  void zero();

  /**
   * Whether each gradient has a place of its own for the whole run, to which libtorch may add by
   * itself.
   */
  boolean isWhole();

  /**
   * A parameter's gradient so far, to be added to; belongs to the current scope.
   *
   * @param parameter its index
   */
  Tensor sum(int parameter);
}
