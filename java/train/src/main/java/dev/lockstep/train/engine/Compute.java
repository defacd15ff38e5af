package dev.lockstep.train.engine;

import java.util.List;
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

  /**
   * Forward and backward of all pieces of a step. Gradients are added up in the pieces' order,
   * whatever order the passes are computed in.
   *
   * @param pieces in the batch's order
   * @param weight of the batch's mean loss
   * @param sink hears of the backward pass that completes the gradients
   * @param lossSum what the losses of all samples are added to, piece by piece
   */
  default double runAll(List<MicroBatch> pieces, double weight, GradientSink sink, double lossSum) {
    double sum = lossSum;
    for (MicroBatch piece : pieces) {
      sum += run(piece, weight, piece.last() ? sink : GradientSink.NONE);
    }
    return sum;
  }

  /**
   * Gives this rank all of the model's tensors, so that it can be hashed and saved; collective. For
   * the end of a run: it takes the memory that parts of the model on other ranks had saved.
   */
  default void completeModel() {}

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
   * Whether predictions need all ranks: each then makes as many as the others, or takes part in
   * theirs by {@link #joinPrediction}.
   */
  default boolean predictsTogether() {
    return false;
  }

  /** Takes part in a prediction of other ranks, without one of its own; collective. */
  default void joinPrediction() {}

  /**
   * Looks for the first tensor that is not finite in a step that has failed, by computing it again.
   *
   * @return for example "the gradient of layer0.weight"; empty if all of this rank's are finite
   */
  String findNonFinite(Step step);

  @Override
  void close();
}
