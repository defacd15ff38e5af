package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.field.FieldDataset;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/** The model that a configuration asks for, as wide as the data needs it. */
public final class ModelBuilder {
  private ModelBuilder() {}

  /**
   * Builds or loads it; collective where the number of classes must be found out.
   *
   * @param seed of the initial parameters
   * @return the model; the caller closes it
   * @throws TrainingException if samples do not have the shape that the model takes
   * @throws dev.lockstep.model.ModelException if it cannot be read or built
   */
  public static Model build(
      ModelConfig config, Dataset dataset, LossConfig loss, long seed, Communicator communicator) {
    requireOwnUnits(dataset, loss);
    requireClasses(dataset, loss);
    long[] shape = dataset.targetShape();
    long outputs =
        loss.classifies()
            ? ClassCount.of(dataset, communicator) * (shape.length == 1 ? shape[0] : 1)
            : loss.outputsPerTarget() * shape[0];
    return build(config, dataset, Math.toIntExact(outputs), seed);
  }

  /** A forecast of class numbers as if they were values would be neither. */
  private static void requireClasses(Dataset dataset, LossConfig loss) {
    if (!loss.classifies() && dataset instanceof FieldDataset fields && fields.classes() > 0) {
      throw new TrainingException(
          "data.targets[].classes makes class numbers, which are for training.loss: cross_entropy,"
              + " not "
              + loss
              + "; leave out classes, or set that loss.");
    }
  }

  /** The standard deviation of a logarithm is not that of the number. */
  private static void requireOwnUnits(Dataset dataset, LossConfig loss) {
    boolean normal =
        loss.type() == TrainingConfig.LossType.GAUSSIAN_NLL
            || loss.type() == TrainingConfig.LossType.CRPS;
    if (normal
        && dataset instanceof FieldDataset fields
        && fields.targetNormalizations().contains(Normalization.LOG1P)) {
      throw new TrainingException(
          "training.loss is "
              + loss
              + ", whose standard deviation cannot be given in a target's own units where that has"
              + " normalize: log1p; take the loss quantiles, or another normalize.");
    }
  }

  /**
   * The same with a number of outputs that is known, such as of classes that the data lacks.
   *
   * @param outputs numbers that the model gives, of fields with a grid channels
   * @throws TrainingException if samples do not have the shape that the model takes
   * @throws dev.lockstep.model.ModelException if it cannot be read or built
   */
  public static Model build(ModelConfig config, Dataset dataset, int outputs, long seed) {
    Model model = unconfigured(config, dataset, outputs, seed);
    try {
      model.recompute(config.recompute());
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
    return model;
  }

  private static Model unconfigured(ModelConfig config, Dataset dataset, int outputs, long seed) {
    if (config.type() == ModelConfig.Type.FILE) {
      return Model.load(Path.of(config.file()));
    }
    long[] targets = dataset.targetShape().clone();
    targets[0] = outputs;
    if (config.type() == ModelConfig.Type.TRANSFORMER) {
      return Model.transformer(config, dataset.featureShape(), targets, seed);
    }
    if (config.type().ofFields()) {
      return Model.fields(config, dataset.featureShape(), targets, seed);
    }
    if (dataset.featureShape().length > 1) {
      throw new TrainingException(
          "model.type is "
              + config.type().name().toLowerCase(Locale.ROOT)
              + ", which takes rows of numbers, but a sample has the shape "
              + Arrays.toString(dataset.featureShape())
              + "; set data.shape: [flat], or use a unet, resnet or column.");
    }
    int inputs = (int) dataset.featureShape()[0];
    return config.type() == ModelConfig.Type.CNN
        ? Model.cnn(config, inputs, outputs, seed)
        : Model.mlp(config, inputs, outputs, seed);
  }
}
