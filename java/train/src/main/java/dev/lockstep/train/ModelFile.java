package dev.lockstep.train;

import dev.lockstep.data.Dataset;
import dev.lockstep.data.Missing;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.field.FieldDataset;
import dev.lockstep.data.field.FieldRecipe;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelDescription;
import dev.lockstep.model.OutputForm;
import dev.lockstep.model.PhysicalModel;
import dev.lockstep.model.Scaling;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.engine.BatchReader;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.DoubleStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** A trained model's file, {@code model.pt}. */
public final class ModelFile {
  private ModelFile() {}

  /**
   * Writes a model of one value for each target, or of scores of classes.
   *
   * @throws dev.lockstep.model.ModelException if it cannot be written
   */
  public static void save(
      Model model, Normalizer.Pair normalizers, boolean classifies, Dataset dataset, Path file) {
    LossConfig loss = LossConfig.of(classifies ? LossType.CROSS_ENTROPY : LossType.MSE);
    save(model, normalizers, loss, dataset, file);
  }

  /**
   * Writes the model, which in the file takes and gives numbers in the data's own units.
   *
   * @param loss that it was trained with, which says what its outputs are
   * @throws dev.lockstep.model.ModelException if it cannot be written
   */
  static void save(
      Model model, Normalizer.Pair normalizers, LossConfig loss, Dataset dataset, Path file) {
    // The scores of rows' classes are given as they are.
    boolean rows = dataset.cells() == 1 && !(dataset instanceof FieldDataset);
    boolean scores = loss.classifies() && rows;
    OutputForm form = scores ? OutputForm.values() : form(loss, model, dataset);
    ModelDescription all = ModelDescription.of(dataset);
    ModelDescription description = scores ? all : all.with(form);
    FieldRecipe fields = description.fields();
    PhysicalModel.save(
        model,
        scaling(normalizers.features(), dataset, dataset.featureShape()),
        loss.classifies() ? Scaling.identity() : outputs(normalizers.targets(), dataset, form),
        form,
        dataset.targetShape(),
        fields != null && fields.missing() == Missing.MASK,
        description.toJson(),
        file);
  }

  private static OutputForm form(LossConfig loss, Model model, Dataset dataset) {
    return switch (loss.type()) {
      case GAUSSIAN_NLL, CRPS -> OutputForm.normal();
      case QUANTILES -> OutputForm.quantiles(loss.levels());
      case CROSS_ENTROPY -> OutputForm.classes(classes(model, dataset));
      default -> OutputForm.values();
    };
  }

  /** How many scores the model gives for each cell. */
  private static int classes(Model model, Dataset dataset) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      model.setTraining(false);
      long[] shape = BatchReader.shape(1, dataset.featureShape());
      TensorOptions type = new TensorOptions(model.type().scalarType());
      return (int) (model.forward(torch.zeros(shape, type)).numel() / dataset.cells());
    } finally {
      model.setTraining(true);
    }
  }

  /** One number a channel; in a sample that is one row of numbers, for each of its cells. */
  private static Scaling scaling(Normalizer normalizer, Dataset dataset, long[] shape) {
    Normalizer.Statistics statistics = normalizer.statistics();
    int repeats = shape.length == 1 ? dataset.cells() : 1;
    return new Scaling(
        repeated(statistics.mean(), repeats),
        repeated(statistics.standardDeviation(), repeats),
        shape.length - 1);
  }

  /** That of the targets for each group of outputs; sizes of differences have no offset. */
  private static Scaling outputs(Normalizer normalizer, Dataset dataset, OutputForm form) {
    Scaling one = scaling(normalizer, dataset, dataset.targetShape());
    double[] none = new double[one.offset().length];
    return new Scaling(
        form.groups().stream()
            .map(group -> group.meaning() == OutputForm.Meaning.VALUE ? one.offset() : none)
            .flatMapToDouble(DoubleStream::of)
            .toArray(),
        form.groups().stream().flatMapToDouble(group -> DoubleStream.of(one.scale())).toArray(),
        one.dimensionsBehind());
  }

  private static double[] repeated(List<Double> values, int times) {
    return values.stream()
        .flatMapToDouble(value -> DoubleStream.generate(() -> value).limit(times))
        .toArray();
  }
}
