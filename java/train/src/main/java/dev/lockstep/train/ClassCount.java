package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.field.FieldDataset;
import java.util.Locale;
import java.util.Set;

/** How many classes a data set's one target column names. */
public final class ClassCount {
  private static final int MOST_ROWS = 1024;

  /** What is done to targets before they are scaled. */
  private static final Set<Normalization> CHANGING =
      Set.of(Normalization.ANOMALY, Normalization.LOG1P);

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
    if (dataset instanceof FieldDataset fields
        && fields.targetNormalizations().stream().anyMatch(CHANGING::contains)) {
      throw new TrainingException(
          "training.loss is cross_entropy, and normalize makes "
              + dataset.targetNames().get(0)
              + " something else than class numbers; set normalize: none of this target.");
    }
    if (dataset instanceof FieldDataset fields && fields.classes() > 0) {
      return fields.classes(); // also of those that this data lacks
    }
    int cells = dataset.cells();
    int rowsAtOnce = Math.max(1, dataset.rowsAtOnce(MOST_ROWS) / cells);
    double[] features = new double[rowsAtOnce * dataset.featureNames().size() * cells];
    double[] targets = new double[rowsAtOnce * cells];
    long[] indices =
        new DataPartitioner(dataset.size(), communicator.size()).indices(communicator.rank());
    int[] highest = {0};
    for (int from = 0; from < indices.length; from += rowsAtOnce) {
      int count = Math.min(rowsAtOnce, indices.length - from);
      dataset.read(indices, from, count, features, targets);
      for (int i = 0; i < count * cells; i++) {
        // A missing one is that of masked fields; other data sets give none.
        highest[0] =
            Double.isNaN(targets[i])
                ? highest[0]
                : Math.max(highest[0], classNumber(targets[i], dataset, indices[from + i / cells]));
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
