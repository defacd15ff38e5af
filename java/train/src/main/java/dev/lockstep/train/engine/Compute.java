package dev.lockstep.train.engine;

import org.bytedeco.pytorch.Tensor;

/** Samples to a loss and gradients. One thread. */
public interface Compute extends Stateful, AutoCloseable {
  /** A step begins: gradients become zero, and random numbers within the model begin anew. */
  void begin(Step step);

  /**
   * Forward and backward of one piece; adds to the gradients.
   *
   * @param weight of the batch's mean loss; the piece takes its part of it
   * @param sink hears of the backward pass
   * @return the sum of the losses of the piece's samples
   */
  double run(MicroBatch piece, double weight, GradientSink sink);

  /** What the step's pieces gave besides gradients. */
  Computed computed();

  /** Takes back what the step that began last has changed besides gradients: batch statistics. */
  default void undo() {}

  /**
   * The model's prediction, without gradients and in evaluation mode; belongs to the current scope.
   *
   * @param inputs [samples, …] as the model takes them
   */
  Tensor predict(Tensor inputs);

  /**
   * Looks for the first tensor that is not finite in a step that has failed, by computing it again.
   *
   * @return for example "the gradient of layer0.weight"; empty if all of this rank's are finite
   */
  String findNonFinite(Step step);

  @Override
  void close();
}
