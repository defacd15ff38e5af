package dev.lockstep.cli;

import dev.lockstep.data.TableWriter;
import dev.lockstep.learn.LearnedModel;
import dev.lockstep.learn.Table;
import dev.lockstep.learn.TableReader;
import java.nio.DoubleBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A model of {@code fit} applied to all rows of a file, block by block. */
final class LearnedPrediction {
  private static final int BLOCK_ROWS = 1024;

  private final LearnedModel model;
  private final Path dataFile;

  LearnedPrediction(Path modelFile, Path dataFile) {
    model = LearnedModel.read(modelFile);
    this.dataFile = dataFile;
  }

  /**
   * Writes a table of row numbers and predictions.
   *
   * @return the number of rows
   */
  long write(Path file) {
    List<String> columns = new ArrayList<>(List.of("row"));
    columns.addAll(model.outputs());
    try (Table table = TableReader.forModel(dataFile, model);
        TableWriter writer = TableWriter.create(file, columns, table.rows())) {
      DoubleBuffer values = table.values();
      int inputs = model.features().size();
      int outputs = model.outputs().size();
      double[] rows = new double[BLOCK_ROWS * inputs];
      double[] predicted = new double[BLOCK_ROWS * outputs];
      double[] lines = new double[BLOCK_ROWS * (outputs + 1)];
      for (long from = 0; from < table.rows(); from += BLOCK_ROWS) {
        int count = (int) Math.min(BLOCK_ROWS, table.rows() - from);
        values.get(rows, 0, count * inputs);
        model.predict(rows, count, predicted);
        for (int i = 0; i < count; i++) {
          lines[i * (outputs + 1)] = from + i;
          System.arraycopy(predicted, i * outputs, lines, i * (outputs + 1) + 1, outputs);
        }
        writer.write(lines, count);
      }
      return table.rows();
    }
  }
}
