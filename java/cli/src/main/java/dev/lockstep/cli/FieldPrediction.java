package dev.lockstep.cli;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.field.FieldDataset;
import dev.lockstep.data.field.FieldRecipe;
import dev.lockstep.data.field.Forecast;
import dev.lockstep.data.netcdf.NetcdfWriter;
import dev.lockstep.files.Sha256;
import dev.lockstep.model.ModelDescription;
import dev.lockstep.model.ModelException;
import dev.lockstep.model.Predictor;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * The outputs of a network for fields for all samples of a file, as CF NetCDF. Ranks take batches
 * by turns, and rank 0 writes; batches do not depend on the number of ranks, so that neither do the
 * numbers.
 */
final class FieldPrediction {
  private static final int MOST_SAMPLES = 16;
  private static final long MOST_VALUES = 1 << 20;

  private final Path modelFile;
  private final Path dataFile;
  private final ModelDescription description;
  private final FieldRecipe recipe;

  FieldPrediction(Path modelFile, Path dataFile, ModelDescription description, FieldRecipe recipe) {
    this.modelFile = modelFile;
    this.dataFile = dataFile;
    this.description = description;
    this.recipe = recipe;
  }

  /**
   * Predicts; collective.
   *
   * @param output ends in .nc
   * @return the number of samples
   * @throws IllegalArgumentException if the file lies on another grid than the training's
   * @throws ModelException if it is in other units
   */
  long write(Path output, Format format, Communicator group) {
    if (!output.toString().endsWith(".nc")) {
      throw new IllegalArgumentException(
          output + ": predictions of fields are written as NetCDF; end the name in .nc");
    }
    try (Predictor predictor = Predictor.load(modelFile);
        Forecast forecast = Forecast.open(recipe, List.of(dataFile.toString()), format)) {
      FieldDataset dataset = forecast.dataset();
      description.checkUnits(dataset.description(), dataset.units());
      if (group.rank() != 0) {
        predict(predictor, forecast, group, (sample, rows, at) -> {});
        return dataset.size();
      }
      try (NetcdfWriter writer = forecast.create(output, attributes())) {
        predict(
            predictor,
            forecast,
            group,
            (sample, rows, at) -> forecast.write(writer, sample, rows, at));
        writer.finish();
      }
      return dataset.size();
    }
  }

  /** Takes what was predicted for a sample, from {@code rows[at]} on. */
  private interface Consumer {
    void take(long sample, double[] rows, int at);
  }

  private void predict(
      Predictor predictor, Forecast forecast, Communicator group, Consumer consumer) {
    FieldDataset dataset = forecast.dataset();
    int inputs = dataset.featureNames().size() * dataset.cells();
    int outputs = recipe.targets().size() * dataset.cells();
    int batch = (int) Math.max(1, Math.min(MOST_SAMPLES, MOST_VALUES / Math.max(inputs, outputs)));
    double[] rows = new double[batch * inputs];
    for (long from = 0; from < dataset.size(); from += (long) batch * group.size()) {
      long own = from + (long) batch * group.rank();
      int count = (int) Math.max(0, Math.min(batch, dataset.size() - own));
      double[] predicted = {};
      if (count > 0) {
        long[] samples = LongStream.range(own, own + count).toArray();
        dataset.read(samples, 0, count, rows, new double[0]);
        predicted =
            predictor.predict(Arrays.copyOf(rows, count * inputs), count, dataset.featureShape());
        if (predicted.length != count * outputs) {
          throw new ModelException(
              modelFile
                  + " gives "
                  + predicted.length / count
                  + " numbers a sample instead of "
                  + outputs
                  + ".");
        }
        for (int i = 0; i < count; i++) {
          forecast.restore(samples[i], predicted, i * outputs);
        }
      }
      double[] all = group.allGather(predicted);
      for (int i = 0; i < all.length / outputs; i++) {
        consumer.take(from + i, all, i * outputs);
      }
    }
  }

  private Map<String, Object> attributes() {
    return Map.of(
        "history",
        Instant.now().truncatedTo(ChronoUnit.SECONDS)
            + " lockstep predict "
            + modelFile
            + " "
            + dataFile,
        "source",
        "lockstep " + Version.lockstep(),
        "model_sha256",
        sha256());
  }

  private String sha256() {
    try {
      return Sha256.ofFile(modelFile);
    } catch (IOException e) {
      throw new ModelException(modelFile + " cannot be read: " + e.getMessage(), e);
    }
  }
}
