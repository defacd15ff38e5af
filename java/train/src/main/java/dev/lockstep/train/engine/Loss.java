package dev.lockstep.train.engine;

import dev.lockstep.model.ModelException;
import dev.lockstep.model.ScriptedLoss;
import dev.lockstep.train.LossConfig;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.TrainingException;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * The mean over a batch of what is minimised. Means are over all values of the batch, missing ones
 * included with the weight 0, and never over a sum of weights: so the loss of a batch is the mean
 * of its parts' losses, weighted by their samples, wherever the parts were computed.
 *
 * <p>One thread; closed by who made it.
 */
public final class Loss implements AutoCloseable {
  /** libtorch's {@code at::Reduction::Mean}. */
  private static final long MEAN = 1;

  /** {@code at::Reduction::None}. */
  private static final long NONE = 0;

  /** libtorch's default of {@code ignore_index}: no class is left out. */
  private static final long NO_CLASS = -100;

  private final LossConfig config;
  private final double huberDelta;
  private final @Nullable ScriptedLoss script;

  /**
   * Of a configuration; reads the file that it names.
   *
   * @param huberDelta for {@link LossType#HUBER}: where it goes from square to linear
   * @throws ModelException if there is a file that cannot be read
   */
  public Loss(LossConfig config, double huberDelta) {
    this.config = config;
    this.huberDelta = huberDelta;
    script = config.file() == null ? null : ScriptedLoss.load(Path.of(config.file()));
  }

  /** Of a type, with the defaults of its other keys. */
  public Loss(LossType type, double huberDelta) {
    this(LossConfig.of(type), huberDelta);
  }

  /** Whether targets are class numbers instead of values. */
  public boolean classifies() {
    return config.classifies();
  }

  /**
   * The loss of a batch, with its weights if it has any: the mean over all values of weight × loss.
   *
   * @throws TrainingException if the prediction does not have the targets' shape
   */
  public Tensor mean(Tensor prediction, SampleReader.Samples samples) {
    Tensor weights = samples.weights();
    Tensor target = samples.targets();
    if (script != null) {
      requireShape(prediction, target, 1);
      Tensor mask = weights == null ? torch.ones_like(target) : weights;
      return script.mean(prediction, target, mask.to(prediction.scalar_type()));
    }
    if (weights == null && target.dim() <= (classifies() ? 1 : 2)) {
      return mean(prediction, target);
    }
    if (classifies()) {
      Tensor each = ofClasses(classScores(prediction, target), target, NONE);
      return weights == null ? each.mean() : each.mul(weights.to(each.scalar_type())).mean();
    }
    requireShape(prediction, target, config.outputsPerTarget());
    boolean whole = weights == null && config.outputsPerTarget() == 1;
    Tensor each = each(prediction, target.to(prediction.scalar_type()), whole ? MEAN : NONE);
    if (whole) {
      return each;
    }
    return weights == null ? each.mean() : each.mul(weights.to(prediction.scalar_type())).mean();
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
      return ofRowsOfClasses(prediction, target);
    }
    int outputs = config.outputsPerTarget();
    Tensor alike = prediction.dim() == target.dim() ? prediction : oneColumn(prediction, target);
    if (alike.size(0) != target.size(0) || alike.size(1) != outputs * target.size(1)) {
      throw mismatch(prediction, target, outputs);
    }
    if (!torch.isFloatingType(alike.scalar_type())) {
      throw new TrainingException(
          "The model predicts numbers of type "
              + alike.scalar_type()
              + ", which have no gradient; let it return floating-point numbers.");
    }
    // A model of several types may predict in another one than its inputs have.
    Tensor goal = target.to(alike.scalar_type());
    return outputs == 1 ? each(alike, goal, MEAN) : each(alike, goal, NONE).mean();
  }

  /** The losses of all values, or their mean. */
  private Tensor each(Tensor prediction, Tensor goal, long reduction) {
    return switch (config.type()) {
      case MSE -> torch.mse_loss(prediction, goal, reduction);
      case MAE -> torch.l1_loss(prediction, goal, reduction);
      case HUBER -> torch.huber_loss(prediction, goal, reduction, huberDelta);
      case GAUSSIAN_NLL -> NormalDistribution.of(prediction, goal).negativeLogDensity(goal);
      case CRPS -> NormalDistribution.of(prediction, goal).rankedProbabilityScore(goal);
      case QUANTILES -> pinball(prediction, goal);
      case CROSS_ENTROPY, FILE -> throw new AssertionError(config.type());
    };
  }

  /** max(τ e, (τ − 1) e) of the error e = target − quantile, the mean over the levels τ. */
  private Tensor pinball(Tensor prediction, Tensor goal) {
    long targets = goal.size(1);
    Tensor sum = torch.zeros_like(goal);
    for (int i = 0; i < config.levels().size(); i++) {
      double level = config.levels().get(i);
      Tensor error = goal.sub(prediction.narrow(1, i * targets, targets));
      sum = sum.add(torch.maximum(error.mul(new Scalar(level)), error.mul(new Scalar(level - 1))));
    }
    return sum.div(new Scalar((double) config.levels().size()));
  }

  /**
   * The one number for each target that scores are taken of: the mean of a distribution, of
   * quantiles the one that is nearest to the median, and of classes the number of the likeliest.
   *
   * @param prediction [samples, outputs, …]
   * @param targets how many of the outputs' elements along the second dimension are one group
   */
  public Tensor point(Tensor prediction, long targets) {
    if (classifies()) {
      boolean flat = prediction.dim() == 2;
      Tensor scores = flat ? prediction.reshape(prediction.size(0), -1, targets) : prediction;
      return scores.argmax(new LongOptional(1), !flat);
    }
    int outputs = config.outputsPerTarget();
    if (outputs == 1) {
      return prediction;
    }
    int group = 0;
    for (int i = 1; i < config.levels().size(); i++) {
      double distance = Math.abs(config.levels().get(i) - 0.5);
      group = distance < Math.abs(config.levels().get(group) - 0.5) ? i : group;
    }
    return prediction.narrow(1, group * targets, targets);
  }

  /**
   * Scores of classes, for each value of the target.
   *
   * @param target class numbers, [samples, …]
   * @return [samples, classes, …]
   */
  public static Tensor classScores(Tensor prediction, Tensor target) {
    long values = target.numel();
    if (prediction.dim() < 2
        || prediction.size(0) != target.size(0)
        || prediction.numel() % values != 0) {
      throw new TrainingException(
          "The model predicts a tensor of shape "
              + shape(prediction)
              + " for class numbers of shape "
              + shape(target)
              + "; cross_entropy needs [samples, classes, …].");
    }
    long[] lengths = new long[(int) target.dim() + 1];
    lengths[0] = target.size(0);
    lengths[1] = prediction.numel() / values;
    for (int d = 1; d < target.dim(); d++) {
      lengths[d + 1] = target.size(d);
    }
    return prediction.reshape(lengths);
  }

  private Tensor ofRowsOfClasses(Tensor prediction, Tensor target) {
    if (prediction.dim() != 2 || prediction.size(0) != target.size(0)) {
      throw new TrainingException(
          "The model predicts a tensor of shape "
              + shape(prediction)
              + " for "
              + target.size(0)
              + " samples; cross_entropy needs [samples, classes].");
    }
    return config.classWeights().isEmpty()
        ? ofClasses(prediction, target, MEAN)
        : ofClasses(prediction, target, NONE).mean();
  }

  private Tensor ofClasses(Tensor scores, Tensor target, long reduction) {
    try {
      return torch.cross_entropy_loss(
          scores, target, classWeights(scores), reduction, NO_CLASS, 0.0);
    } catch (RuntimeException e) {
      throw new TrainingException(
          "The model predicts "
              + scores.size(1)
              + " class scores of type "
              + scores.scalar_type()
              + ", and cross_entropy refuses them: "
              + ModelException.reason(e));
    }
  }

  private TensorOptional classWeights(Tensor scores) {
    if (config.classWeights().isEmpty()) {
      return new TensorOptional();
    }
    if (config.classWeights().size() != scores.size(1)) {
      throw new TrainingException(
          "training.loss.class_weights lists "
              + config.classWeights().size()
              + " weights, but there are "
              + scores.size(1)
              + " classes.");
    }
    double[] weights = config.classWeights().stream().mapToDouble(w -> w).toArray();
    return new TensorOptional(Tensor.create(weights).to(scores.scalar_type()));
  }

  // Broadcasting [n] against [n, 1] would compare every sample with every other.
  private Tensor oneColumn(Tensor prediction, Tensor target) {
    if (prediction.dim() != 1 || target.size(1) != 1) {
      throw mismatch(prediction, target, config.outputsPerTarget());
    }
    return prediction.unsqueeze(1);
  }

  private static void requireShape(Tensor prediction, Tensor target, int outputs) {
    boolean same = prediction.dim() == target.dim();
    for (int d = 0; same && d < target.dim(); d++) {
      same = prediction.size(d) == (d == 1 ? outputs : 1) * target.size(d);
    }
    if (!same) {
      throw mismatch(prediction, target, outputs);
    }
  }

  private static TrainingException mismatch(Tensor prediction, Tensor target, int outputs) {
    return new TrainingException(
        "The model predicts a tensor of shape "
            + shape(prediction)
            + " where the targets have "
            + shape(target)
            + (outputs == 1
                ? "; give it as many outputs as there are targets."
                : "; this loss needs " + outputs + " outputs for each target."));
  }

  private static String shape(Tensor tensor) {
    long[] lengths = new long[(int) tensor.dim()];
    Arrays.setAll(lengths, tensor::size);
    return Arrays.toString(lengths);
  }

  @Override
  public void close() {
    if (script != null) {
      script.close();
    }
  }
}
