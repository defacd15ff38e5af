package dev.lockstep.model;

import org.bytedeco.pytorch.Tensor;

/**
 * A forward pass of a model in training, from which gradients can flow back. Its tensors belong to
 * the {@link org.bytedeco.javacpp.PointerScope} in which it was made. One thread.
 */
public final class TrainingPass {
  private final Model model;
  private final Tensor output;

  TrainingPass(Model model, Tensor output) {
    this.model = model;
    this.output = output;
  }

  /** What the model predicts, [samples, …]. */
  public Tensor output() {
    return output;
  }

  /**
   * Adds the gradients of a loss to those of the model's parameters.
   *
   * @param loss a scalar, computed from {@link #output}
   * @throws ModelException if no gradient reaches the parameters, or libtorch refuses
   */
  public void backward(Tensor loss) {
    if (!loss.requires_grad()) {
      throw new ModelException(
          "No gradient reaches the parameters of "
              + model
              + ": its output does not depend on them, or was detached; remove detach(), .data and"
              + " torch.no_grad() from the way to the output.");
    }
    try {
      loss.backward();
    } catch (RuntimeException e) {
      throw new ModelException(
          "The backward pass of " + model + " fails: " + ModelException.reason(e), e);
    }
  }
}
