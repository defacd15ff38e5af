package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
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
      ModelConfig config,
      Dataset dataset,
      TrainingConfig.LossType loss,
      long seed,
      Communicator communicator) {
    return build(
        config,
        dataset,
        loss == TrainingConfig.LossType.CROSS_ENTROPY
            ? ClassCount.of(dataset, communicator)
            : (int) dataset.targetShape()[0],
        seed);
  }

  /**
   * The same with a number of outputs that is known, such as of classes that the data lacks.
   *
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
    if (config.type() == ModelConfig.Type.TRANSFORMER) {
      long[] targets = dataset.targetShape().clone();
      targets[0] = outputs;
      return Model.transformer(config, dataset.featureShape(), targets, seed);
    }
    if (config.type().ofFields()) {
      return Model.fields(config, dataset.featureShape(), dataset.targetShape(), seed);
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
