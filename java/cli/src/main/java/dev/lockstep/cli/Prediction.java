package dev.lockstep.cli;

import dev.lockstep.LockstepException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.TableWriter;
import dev.lockstep.model.ModelException;
import dev.lockstep.model.Predictor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ObjIntConsumer;
import java.util.stream.LongStream;

/**
 * A model's outputs for all samples of a data set. Ranks take batches by turns, and rank 0 writes;
 * batches do not depend on the number of ranks, so that neither do the numbers.
 */
final class Prediction {
  private static final int MOST_ROWS = 4096;

  private final Predictor predictor;
  private final Dataset dataset;
  private final int batch;
  private final double[] inputs;
  private final double[] targets;

  /**
   * Checks that the data fits the model.
   *
   * @throws ModelException if the model's file names another number of features, or other units
   */
  Prediction(Predictor predictor, Path modelFile, Dataset dataset) {
    this.predictor = predictor;
    this.dataset = dataset;
    predictor
        .description()
        .ifPresent(
            known -> {
              if (known.features().size() != dataset.featureNames().size()) {
                throw new ModelException(
                    modelFile
                        + " takes the "
                        + known.features().size()
                        + " features "
                        + known.features()
                        + ", but the data gives "
                        + dataset.featureNames().size()
                        + ": "
                        + dataset.featureNames()
                        + ".");
              }
              known.checkUnits(dataset.description(), dataset.units());
            });
    batch = dataset.rowsAtOnce(MOST_ROWS);
    inputs = new double[batch * dataset.featureNames().size()];
    targets = new double[batch * dataset.targetNames().size()];
  }

  /**
   * Writes a table of points and predictions; collective.
   *
   * @return the number of rows
   */
  long write(Path file, Communicator group) {
    if (dataset.size() == 0) {
      throw new LockstepException(dataset.description() + ": no point has all features");
    }
    // The first batch tells how many outputs there are.
    double[] first = predict(0);
    List<String> columns = new ArrayList<>(List.of("point"));
    columns.addAll(predictor.targets());
    if (group.rank() != 0) {
      forEachBatch(first, group, (rows, count) -> {}, columns.size());
      return dataset.size();
    }
    try (TableWriter writer = TableWriter.create(file, columns, dataset.size())) {
      forEachBatch(first, group, writer::write, columns.size());
    }
    return dataset.size();
  }

  private void forEachBatch(
      double[] first, Communicator group, ObjIntConsumer<double[]> consumer, int columns) {
    for (long from = 0; from < dataset.size(); from += (long) batch * group.size()) {
      long own = from + (long) batch * group.rank();
      double[] rows = own == 0 ? first : own < dataset.size() ? predict(own) : new double[0];
      double[] all = group.allGather(rows);
      consumer.accept(all, all.length / columns);
    }
  }

  /** Rows of the point's place and the outputs, for the batch that begins at a sample. */
  private double[] predict(long from) {
    int count = (int) Math.min(batch, dataset.size() - from);
    long[] samples = LongStream.range(from, from + count).toArray();
    dataset.read(samples, 0, count, inputs, targets);
    double[] values = predictor.predict(used(count), count);
    int outputs = values.length / count;
    double[] rows = new double[count * (outputs + 1)];
    for (int i = 0; i < count; i++) {
      rows[i * (outputs + 1)] = dataset.point(samples[i]);
      System.arraycopy(values, i * outputs, rows, i * (outputs + 1) + 1, outputs);
    }
    return rows;
  }

  private double[] used(int count) {
    return Arrays.copyOf(inputs, count * dataset.featureNames().size());
  }
}
