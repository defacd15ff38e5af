package dev.lockstep.model;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * A model file that predicts rows of numbers in the data's own units:
 *
 * <pre>{@code
 * try (Predictor predictor = Predictor.load(Path.of("runs/heat-flux/model.pt"))) {
 *   double[] fluxes = predictor.predict(windSpeed, seaTemperature, airTemperature);
 * }
 * }</pre>
 *
 * <p>With a model for fields, {@link #predict(Path, Path)} goes from file to file. One thread at a
 * time.
 */
public final class Predictor implements AutoCloseable {
  private final PhysicalModel model;
  private final Path file;
  private final Optional<ModelDescription> description;

  /** What the model takes; null until the first batch has told. */
  private @Nullable ScalarType type;

  /** Numbers that the model gives for a sample; 0 until the first batch has told. */
  private int outputs;

  private Predictor(PhysicalModel model, Path file, Optional<ModelDescription> description) {
    this.model = model;
    this.file = file;
    this.description = description;
    if (description.isPresent()) {
      type = ScalarType.Double;
    }
  }

  /**
   * Reads a TorchScript file: a run's {@code model.pt}, or another one whose forward takes
   * [samples, features].
   *
   * @throws ModelException if that fails
   */
  public static Predictor load(Path file) {
    requireNonNull(file, "file");
    PhysicalModel model = PhysicalModel.load(file);
    try {
      return new Predictor(model, file, ModelDescription.read(file));
    } catch (ModelException e) {
      model.close();
      throw e;
    }
  }

  /** What the file says about itself; empty for one that Lockstep did not write. */
  public Optional<ModelDescription> description() {
    return description;
  }

  /** The model file. */
  public Path file() {
    return file;
  }

  /** The names of the inputs, in order; empty if the file does not tell. */
  public List<String> features() {
    return description.map(ModelDescription::features).orElse(List.of());
  }

  /**
   * The names of the outputs, in order: those of the targets, or y0, y1, … for class scores and for
   * files that do not tell. Known after the first prediction.
   */
  public List<String> targets() {
    List<String> named = description.map(ModelDescription::targets).orElse(List.of());
    if (named.size() == outputs) {
      return named;
    }
    List<String> numbered = new ArrayList<>();
    for (int i = 0; i < outputs; i++) {
      numbered.add("y" + i);
    }
    return numbered;
  }

  /**
   * Predicts one sample.
   *
   * @param features its values in the order of {@link #features}
   * @return its outputs
   * @throws ModelException if the model refuses them
   */
  public double[] predict(double... features) {
    return predict(features, 1);
  }

  /**
   * Predicts samples.
   *
   * @param rows the features of one sample after another; more may follow them
   * @param count how many samples, at least 1
   * @return the outputs of one sample after another
   * @throws ModelException if the model does not take so many features, or does not give a row of
   *     real numbers for each sample
   */
  public double[] predict(double[] rows, int count) {
    return predict(rows, count, new long[] {columns(rows.length, count)});
  }

  /**
   * Predicts samples of a model for fields.
   *
   * @param rows the features of one sample after another; more may follow them
   * @param shape of one sample, as in [channel, latitude, longitude]
   * @return the outputs of one sample after another
   * @throws ModelException if the model refuses them
   */
  public double[] predict(double[] rows, int count, long[] shape) {
    int columns = (int) Arrays.stream(shape).reduce(1, Math::multiplyExact);
    long[] all = new long[shape.length + 1];
    all[0] = count;
    System.arraycopy(shape, 0, all, 1, shape.length);
    try (PointerScope scope = new PointerScope()) {
      Tensor input = Mlp.tensor(Arrays.copyOf(rows, count * columns), all);
      Tensor output = run(input);
      int width = width(output, count);
      if (outputs != 0 && outputs != width) {
        throw wrongShape(output, count);
      }
      outputs = width;
      double[] values = new double[count * width];
      new DoublePointer(output.to(ScalarType.Double).contiguous().data_ptr()).get(values);
      return values;
    }
  }

  /**
   * Predicts all samples of a data file with a model for fields, and writes them on the file's
   * grid. {@link FieldPrediction} has steps, formats and ranks besides.
   *
   * @param data the data file
   * @param output ends in .nc, .zarr, .npz or .csv; it appears under its name when it is complete
   * @return the number of samples
   * @throws IllegalArgumentException if the data lies on another grid than the training's or lacks
   *     what the model needs, or {@code output} has another ending
   * @throws ModelException if the model is not for fields, or the data is in other units
   * @throws dev.lockstep.data.DataException if a file cannot be read or written
   */
  public long predict(Path data, Path output) {
    requireNonNull(data, "data");
    requireNonNull(output, "output");
    try (Communicator alone = Communicator.single()) {
      return new FieldPrediction().write(this, data, output, alone);
    }
  }

  private int columns(int values, int count) {
    int columns = description.map(known -> known.features().size()).orElse(values / count);
    if (count < 1 || (long) columns * count > values || (count == 1 && columns != values)) {
      throw new ModelException(
          file
              + " takes "
              + columns
              + " features a sample "
              + features()
              + "; "
              + values
              + " numbers are not those of "
              + count
              + " samples.");
    }
    return columns;
  }

  /**
   * A file of another origin says nowhere whether it takes float64. Rounding to float32 loses what
   * raw coordinates need, so float64 comes first, and the type of the model's tensors if it is
   * refused.
   */
  private Tensor run(Tensor input) {
    if (type != null) {
      return model.predict(input.to(type));
    }
    ScalarType own = model.type();
    if (own != ScalarType.Double) {
      try {
        Tensor output = model.predict(input);
        type = ScalarType.Double;
        return output;
      } catch (ModelException refused) {
        // As linear layers of float32 do.
      }
    }
    Tensor output = model.predict(input.to(own));
    type = own;
    return output;
  }

  private int width(Tensor output, int count) {
    boolean oneNumber = count == 1 && output.dim() == 0;
    if (!oneNumber && (output.dim() == 0 || output.size(0) != count || output.numel() == 0)) {
      throw wrongShape(output, count);
    }
    return (int) (output.numel() / count);
  }

  private ModelException wrongShape(Tensor output, int count) {
    return new ModelException(
        file
            + " gives a tensor of shape "
            + Arrays.toString(ModelTensor.shape(output))
            + " for "
            + count
            + " samples"
            + (outputs == 0 ? "" : " after rows of " + outputs + " outputs")
            + "; a prediction is one row a sample, [samples, outputs].");
  }

  @Override
  public void close() {
    model.close();
  }
}
