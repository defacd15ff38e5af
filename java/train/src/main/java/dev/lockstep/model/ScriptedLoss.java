package dev.lockstep.model;

import java.nio.file.Path;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A loss that a TorchScript file computes from prediction, target and mask. One thread at a time.
 */
public final class ScriptedLoss implements AutoCloseable {
  private final JitModule module;
  private final String description;

  private ScriptedLoss(JitModule module, String description) {
    this.module = module;
    this.description = description;
  }

  /**
   * Reads the file.
   *
   * @throws ModelException if that fails
   */
  public static ScriptedLoss load(Path file) {
    return new ScriptedLoss(TorchScriptFile.load(file), file.toString());
  }

  /**
   * The loss of a batch, a scalar that belongs to the current scope.
   *
   * @param mask shaped like the target: the weight of each value, 0 where it is missing
   * @throws ModelException if the module fails, or gives neither a number nor one for each sample
   */
  public Tensor mean(Tensor prediction, Tensor target, Tensor mask) {
    IValue result;
    try {
      result =
          module.forward(
              new IValueVector(new IValue(prediction), new IValue(target), new IValue(mask)));
    } catch (RuntimeException e) {
      throw new ModelException(
          "The loss " + description + " fails: " + ModelException.reason(e), e);
    }
    if (!result.isTensor()) {
      throw new ModelException("The loss " + description + " gives no tensor; let it return one.");
    }
    Tensor value = new Tensor(result.toTensor());
    boolean ofSamples = value.dim() == 1 && value.size(0) == prediction.size(0);
    if ((value.dim() != 0 && !ofSamples) || !torch.isFloatingType(value.scalar_type())) {
      throw new ModelException(
          "The loss "
              + description
              + " gives a tensor of "
              + value.dim()
              + " dimensions; let it return one floating-point number, the mean over the samples,"
              + " or one for each sample.");
    }
    if (value.requires_grad() != prediction.requires_grad()) {
      throw new ModelException(
          "The loss " + description + " does not depend on the prediction, its first argument.");
    }
    return ofSamples ? value.mean() : value;
  }

  @Override
  public void close() {
    module.close();
  }
}
