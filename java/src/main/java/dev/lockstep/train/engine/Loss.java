package dev.lockstep.train.engine;

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

  /** Whether targets are class numbers instead of values. */
  public boolean classifies() {
    return type == LossType.CROSS_ENTROPY;
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
      return torch.cross_entropy_loss(prediction, target);
    }
    Tensor alike = prediction.dim() == target.dim() ? prediction : oneColumn(prediction, target);
    if (alike.size(0) != target.size(0) || alike.size(1) != target.size(1)) {
      throw mismatch(prediction, target);
    }
    return switch (type) {
      case MSE -> torch.mse_loss(alike, target, MEAN);
      case MAE -> torch.l1_loss(alike, target, MEAN);
      case HUBER -> torch.huber_loss(alike, target, MEAN, huberDelta);
      case CROSS_ENTROPY -> throw new AssertionError(type);
    };
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
