package dev.lockstep.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lockstep.LockstepException;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.TableWriter;
import dev.lockstep.model.PhysicalModel;
import java.io.IOException;
import java.nio.DoubleBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.zip.ZipFile;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** A model's outputs for all samples of a data set, batch by batch. One thread at a time. */
final class Prediction {
  private static final int BATCH = 4096;

  private final PhysicalModel model;
  private final Dataset dataset;
  private final int inputs;

  /** Names of the outputs, when the model came from Lockstep. */
  private final Optional<List<String>> targets;

  Prediction(PhysicalModel model, Path modelFile, Dataset dataset) {
    this.model = model;
    this.dataset = dataset;
    this.inputs = dataset.featureNames().size();
    this.targets = targets(modelFile);
  }

  /**
   * Writes a table of points and predictions.
   *
   * @return the number of rows
   */
  long write(Path file) {
    if (dataset.size() == 0) {
      throw new LockstepException(dataset.description() + ": no point has all features");
    }
    // The first batch tells how many outputs there are.
    double[][] first = predict(0, (int) Math.min(BATCH, dataset.size()));
    int outputs = first[0].length - 1;
    try (TableWriter writer = TableWriter.create(file, columns(outputs), dataset.size())) {
      write(writer, first);
      for (long from = first.length; from < dataset.size(); from += BATCH) {
        write(writer, predict(from, (int) Math.min(BATCH, dataset.size() - from)));
      }
    }
    return dataset.size();
  }

  /** Rows of the point's place and the outputs. */
  private double[][] predict(long from, int count) {
    long[] samples = LongStream.range(from, from + count).toArray();
    double[] values = new double[count * inputs];
    dataset.read(samples, 0, count, values, new double[count * dataset.targetNames().size()]);
    try (PointerScope scope = new PointerScope()) {
      Tensor input = Tensor.create(values, count, inputs);
      // A model of another origin has its own type, which nearly always is float32.
      Tensor typed = targets.isPresent() ? input : input.to(ScalarType.Float);
      Tensor output = model.predict(typed).to(ScalarType.Double).contiguous();
      int outputs = (int) (output.numel() / count);
      DoubleBuffer predicted = output.createBuffer();
      double[][] rows = new double[count][outputs + 1];
      for (int i = 0; i < count; i++) {
        rows[i][0] = dataset.point(samples[i]);
        predicted.get(rows[i], 1, outputs);
      }
      return rows;
    }
  }

  private static void write(TableWriter writer, double[][] rows) {
    for (double[] row : rows) {
      writer.write(row, 1);
    }
  }

  private List<String> columns(int outputs) {
    List<String> names = new ArrayList<>(List.of("point"));
    // A classifier has one output for each class, and one target.
    if (targets.isPresent() && targets.get().size() == outputs) {
      names.addAll(targets.get());
    } else {
      for (int i = 0; i < outputs; i++) {
        names.add("y" + i);
      }
    }
    return names;
  }

  /** A .pt file is a zip archive; the description is among its extra files. */
  private static Optional<List<String>> targets(Path modelFile) {
    try (ZipFile archive = new ZipFile(modelFile.toFile())) {
      var entry =
          archive.stream()
              .filter(e -> e.getName().endsWith("/extra/" + PhysicalModel.DESCRIPTION_ENTRY))
              .findFirst();
      if (entry.isEmpty()) {
        return Optional.empty();
      }
      JsonNode description = new ObjectMapper().readTree(archive.getInputStream(entry.get()));
      List<String> names = new ArrayList<>();
      description.path("targets").forEach(name -> names.add(name.asText()));
      return Optional.of(names);
    } catch (IOException e) {
      throw new LockstepException(modelFile + " cannot be read as a model: " + e.getMessage(), e);
    }
  }
}
