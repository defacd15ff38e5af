package dev.lockstep.model;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.field.FieldDataset;
import dev.lockstep.data.field.FieldRecipe;
import dev.lockstep.data.field.Forecast;
import dev.lockstep.data.field.ForecastWriter;
import dev.lockstep.data.field.Rollout;
import dev.lockstep.files.DurableFiles;
import dev.lockstep.files.Sha256;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The outputs of a model for fields for all samples of a file, as a file on the same grid. Ranks
 * take batches by turns, and rank 0 writes; batches do not depend on the number of ranks, so that
 * neither do the numbers.
 *
 * @param format of the data files
 * @param steps how often the model is applied: from the second time on to what it predicted
 * @param source the program, for the attribute {@code source} of what is written
 */
public record FieldPrediction(Format format, int steps, String source) {
  private static final int MOST_SAMPLES = 16;
  private static final long MOST_VALUES = 1 << 20;

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException if there is no step
   */
  public FieldPrediction {
    requireNonNull(format, "format");
    requireNonNull(source, "source");
    if (steps < 1) {
      throw new IllegalArgumentException("a forecast has 1 step or more, not " + steps);
    }
  }

  /** One step, from files that say themselves what they are. */
  public FieldPrediction() {
    this(Format.AUTO, 1, "lockstep");
  }

  /**
   * Predicts; collective.
   *
   * @param predictor a model for fields, loaded from a file
   * @param data the data file
   * @param output where to, by its ending as CF NetCDF (.nc), Zarr (.zarr), NumPy arrays with their
   *     names (.npz) or a table (.csv); it appears under its name when it is complete
   * @param group the ranks that share the samples
   * @return the number of samples
   * @throws IllegalArgumentException if the data lies on another grid than the training's, lacks
   *     what the model needs, or {@code output} has another ending or is {@code data} itself
   * @throws ModelException if the model is not for fields, or the data is in other units
   * @throws dev.lockstep.data.DataException if a file cannot be read or written
   */
  public long write(Predictor predictor, Path data, Path output, Communicator group) {
    requireNonNull(data, "data");
    requireNonNull(output, "output");
    requireNonNull(group, "group");
    if (DurableFiles.isSame(output, data)) {
      throw new IllegalArgumentException("the predictions would replace their data, " + data);
    }
    @Nullable ModelDescription description = predictor.description().orElse(null);
    @Nullable FieldRecipe recipe = description == null ? null : description.fields();
    if (description == null || recipe == null) {
      throw new ModelException(
          predictor.file() + " is not a model for fields that lockstep trained; predict rows");
    }
    try (Forecast forecast = Forecast.open(recipe, List.of(data.toString()), format, steps)) {
      FieldDataset dataset = forecast.dataset();
      description.checkUnits(dataset.description(), dataset.units());
      Batches batches = new Batches(predictor, forecast, group);
      if (group.rank() != 0) {
        batches.forEach((sample, rows, at) -> {});
        return dataset.size();
      }
      try (ForecastWriter writer = forecast.create(output, attributes(predictor.file(), data))) {
        batches.forEach(writer::write);
        writer.finish();
      }
      return dataset.size();
    }
  }

  /** Takes what was predicted for a sample, from {@code rows[at]} on. */
  private interface Consumer {
    void take(long sample, double[] rows, int at);
  }

  /** The samples of a forecast, batch by batch over the ranks. */
  private static final class Batches {
    private final Predictor predictor;
    private final Forecast forecast;
    private final Communicator group;
    private final FieldDataset dataset;
    private final int inputs;
    private final int outputs;
    private final int batch;
    private final double[] rows;

    Batches(Predictor predictor, Forecast forecast, Communicator group) {
      this.predictor = predictor;
      this.forecast = forecast;
      this.group = group;
      dataset = forecast.dataset();
      inputs = dataset.featureNames().size() * dataset.cells();
      outputs = forecast.width() / forecast.steps();
      long widest = Math.max(inputs, forecast.width());
      batch = (int) Math.max(1, Math.min(MOST_SAMPLES, MOST_VALUES / widest));
      rows = new double[batch * inputs];
      if (forecast.steps() > 1) {
        forecast.rollout(); // says now, before a file is begun, if the model cannot go on
      }
    }

    void forEach(Consumer consumer) {
      int width = forecast.width();
      for (long from = 0; from < dataset.size(); from += (long) batch * group.size()) {
        long own = from + (long) batch * group.rank();
        int count = (int) Math.max(0, Math.min(batch, dataset.size() - own));
        double[] predicted = {};
        if (count > 0) {
          long[] samples = LongStream.range(own, own + count).toArray();
          predicted = forecast.steps() == 1 ? oneStep(samples) : rollOut(samples);
        }
        double[] all = group.allGather(predicted);
        for (int i = 0; i < all.length / width; i++) {
          consumer.take(from + i, all, i * width);
        }
      }
    }

    private double[] oneStep(long[] samples) {
      dataset.read(samples, 0, samples.length, rows, new double[0]);
      return apply(samples, 0);
    }

    private double[] rollOut(long[] samples) {
      Rollout[] rollouts = new Rollout[samples.length];
      for (int i = 0; i < samples.length; i++) {
        rollouts[i] = forecast.rollout();
        rollouts[i].begin(samples[i]);
      }
      double[] all = new double[samples.length * forecast.width()];
      for (int step = 0; step < forecast.steps(); step++) {
        for (int i = 0; i < samples.length; i++) {
          rollouts[i].read(rows, i * inputs);
        }
        double[] predicted = apply(samples, step);
        for (int i = 0; i < samples.length; i++) {
          rollouts[i].advance(predicted, i * outputs);
          int to = i * forecast.width() + step * outputs;
          System.arraycopy(predicted, i * outputs, all, to, outputs);
        }
      }
      return all;
    }

    /** What the network says of the rows, in the variables' own numbers. */
    private double[] apply(long[] samples, int ahead) {
      int count = samples.length;
      double[] predicted =
          predictor.predict(Arrays.copyOf(rows, count * inputs), count, dataset.featureShape());
      if (predicted.length != count * outputs) {
        throw new ModelException(
            predictor.file()
                + " gives "
                + predicted.length / count
                + " numbers a sample instead of "
                + outputs
                + ".");
      }
      for (int i = 0; i < count; i++) {
        forecast.restore(samples[i], ahead, predicted, i * outputs);
      }
      return predicted;
    }
  }

  private Map<String, Object> attributes(Path modelFile, Path data) {
    String steps = this.steps == 1 ? "" : " --steps " + this.steps;
    return Map.of(
        "history",
        Instant.now().truncatedTo(ChronoUnit.SECONDS)
            + " lockstep predict "
            + modelFile
            + " "
            + data
            + steps,
        "source",
        source,
        "model_sha256",
        sha256(modelFile));
  }

  private static String sha256(Path modelFile) {
    try {
      return Sha256.ofFile(modelFile);
    } catch (IOException e) {
      throw new ModelException(modelFile + " cannot be read: " + e.getMessage(), e);
    }
  }
}
