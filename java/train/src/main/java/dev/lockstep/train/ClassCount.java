package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.Dataset;
import java.util.Locale;

/** How many classes a data set's one target column names. */
public final class ClassCount {
  private static final int MOST_ROWS = 1024;

  private ClassCount() {}

  /**
   * One more than the highest class number; collective, each rank looks at its partition.
   *
   * @throws TrainingException if there is not exactly one target, or one is no class number
   */
  public static int of(Dataset dataset, Communicator communicator) {
    if (dataset.targetNames().size() != 1) {
      throw new TrainingException(
          "training.loss is cross_entropy, which needs one target column of class numbers, but"
              + " data.targets lists "
              + dataset.targetNames()
              + ".");
    }
    if (dataset.cells() > 1) {
      throw new TrainingException(
          "training.loss is cross_entropy, which is for samples of one class each, but a sample has "
              + dataset.cells()
              + " cells (data.samples); use mse, mae or huber.");
    }
    int rowsAtOnce = dataset.rowsAtOnce(MOST_ROWS);
    double[] features = new double[rowsAtOnce * dataset.featureNames().size()];
    double[] targets = new double[rowsAtOnce];
    long[] indices =
        new DataPartitioner(dataset.size(), communicator.size()).indices(communicator.rank());
    int[] highest = {0};
    for (int from = 0; from < indices.length; from += rowsAtOnce) {
      int count = Math.min(rowsAtOnce, indices.length - from);
      dataset.read(indices, from, count, features, targets);
      for (int i = 0; i < count; i++) {
        highest[0] = Math.max(highest[0], classNumber(targets[i], dataset, indices[from + i]));
      }
    }
    return communicator.allReduce(highest, ReduceOp.MAX)[0] + 1;
  }

  private static int classNumber(double value, Dataset dataset, long sample) {
    if (value < 0 || value != Math.rint(value) || value >= Integer.MAX_VALUE) {
      throw new TrainingException(
          String.format(
              Locale.ROOT,
              "Target %s of point %d is %s, which is no class number; cross_entropy needs 0, 1, 2,"
                  + " …",
              dataset.targetNames().get(0),
              dataset.point(sample),
              value));
    }
    return (int) value;
  }
}
