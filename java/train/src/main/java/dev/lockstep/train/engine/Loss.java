package dev.lockstep.train.engine;

import dev.lockstep.model.ModelException;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.TrainingException;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The mean over a batch of what is minimised.
 *
 * @param type which loss
 * @param huberDelta for {@link LossType#HUBER}: where it goes from square to linear
 */
public record Loss(LossType type, double huberDelta) {
  /** libtorch's {@code at::Reduction::Mean}. */
  private static final long MEAN = 1;

  /** {@code at::Reduction::None}. */
  private static final long NONE = 0;

  /** Whether targets are class numbers instead of values. */
  public boolean classifies() {
    return type == LossType.CROSS_ENTROPY;
  }

  /**
   * The loss of a batch, with its weights if it has any: the mean over all values of weight × loss.
   *
   * @throws TrainingException if the prediction does not have the targets' shape
   */
  public Tensor mean(Tensor prediction, SampleReader.Samples samples) {
    Tensor weights = samples.weights();
    if (weights == null && samples.targets().dim() <= 2) {
      return mean(prediction, samples.targets());
    }
    Tensor target = samples.targets();
    if (!shape(prediction).equals(shape(target))) {
      throw mismatch(prediction, target);
    }
    Tensor goal = target.to(prediction.scalar_type());
    long reduction = weights == null ? MEAN : NONE;
    Tensor each =
        switch (type) {
          case MSE -> torch.mse_loss(prediction, goal, reduction);
          case MAE -> torch.l1_loss(prediction, goal, reduction);
          case HUBER -> torch.huber_loss(prediction, goal, reduction, huberDelta);
          case CROSS_ENTROPY ->
              throw new TrainingException(
                  "training.loss is cross_entropy, which is for samples of one class each; use mse,"
                      + " mae or huber for fields.");
        };
    return weights == null ? each : each.mul(weights.to(prediction.scalar_type())).mean();
  }

  /**
   * The loss of a batch, a scalar; belongs to the current scope.
   *
   * @param prediction what the model gave: [samples, outputs], or [samples] for one target
   * @param target [samples, targets], or for classes int64 [samples]
   * @throws TrainingException if the prediction does not have the target's shape
   */
  public Tensor mean(Tensor prediction, Tensor target) {
    if (classifies()) {
      return ofClasses(prediction, target);
    }
    Tensor alike = prediction.dim() == target.dim() ? prediction : oneColumn(prediction, target);
    if (alike.size(0) != target.size(0) || alike.size(1) != target.size(1)) {
      throw mismatch(prediction, target);
    }
    if (!torch.isFloatingType(alike.scalar_type())) {
      throw new TrainingException(
          "The model predicts numbers of type "
              + alike.scalar_type()
              + ", which have no gradient; let it return floating-point numbers.");
    }
    // A model of several types may predict in another one than its inputs have.
    Tensor goal = target.to(alike.scalar_type());
    return switch (type) {
      case MSE -> torch.mse_loss(alike, goal, MEAN);
      case MAE -> torch.l1_loss(alike, goal, MEAN);
      case HUBER -> torch.huber_loss(alike, goal, MEAN, huberDelta);
      case CROSS_ENTROPY -> throw new AssertionError(type);
    };
  }

  private static Tensor ofClasses(Tensor prediction, Tensor target) {
    if (prediction.dim() != 2 || prediction.size(0) != target.size(0)) {
      throw new TrainingException(
          "The model predicts a tensor of shape "
              + shape(prediction)
              + " for "
              + target.size(0)
              + " samples; cross_entropy needs [samples, classes].");
    }
    try {
      return torch.cross_entropy_loss(prediction, target);
    } catch (RuntimeException e) {
      throw new TrainingException(
          "The model predicts "
              + prediction.size(1)
              + " class scores of type "
              + prediction.scalar_type()
              + ", and cross_entropy refuses them: "
              + ModelException.reason(e));
    }
  }

  // Broadcasting [n] against [n, 1] would compare every sample with every other.
  private static Tensor oneColumn(Tensor prediction, Tensor target) {
    if (prediction.dim() != 1 || target.size(1) != 1) {
      throw mismatch(prediction, target);
    }
    return prediction.unsqueeze(1);
  }

  private static TrainingException mismatch(Tensor prediction, Tensor target) {
    return new TrainingException(
        "The model predicts a tensor of shape "
            + shape(prediction)
            + " where the targets have "
            + shape(target)
            + "; give it as many outputs as there are targets.");
  }

  private static String shape(Tensor tensor) {
    long[] lengths = new long[(int) tensor.dim()];
    Arrays.setAll(lengths, tensor::size);
    return Arrays.toString(lengths);
  }
}
