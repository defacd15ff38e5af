package dev.lockstep.train;

import dev.lockstep.data.Dataset;
import dev.lockstep.data.Missing;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.field.FieldRecipe;
import dev.lockstep.model.Model;
import dev.lockstep.model.ModelDescription;
import dev.lockstep.model.PhysicalModel;
import dev.lockstep.model.Scaling;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.DoubleStream;

/** A trained model's file, {@code model.pt}. */
public final class ModelFile {
  private ModelFile() {}

  /**
   * Writes the model, which in the file takes and gives numbers in the data's own units.
   *
   * @param classifies whether its outputs are scores of classes
   * @throws dev.lockstep.model.ModelException if it cannot be written
   */
  public static void save(
      Model model, Normalizer.Pair normalizers, boolean classifies, Dataset dataset, Path file) {
    ModelDescription description = ModelDescription.of(dataset);
    FieldRecipe fields = description.fields();
    PhysicalModel.save(
        model,
        scaling(normalizers.features(), dataset, dataset.featureShape()),
        classifies
            ? Scaling.identity()
            : scaling(normalizers.targets(), dataset, dataset.targetShape()),
        fields != null && fields.missing() == Missing.MASK,
        description.toJson(),
        file);
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

  private static double[] repeated(List<Double> values, int times) {
    return values.stream()
        .flatMapToDouble(value -> DoubleStream.generate(() -> value).limit(times))
        .toArray();
  }
}
