package dev.lockstep.data;

import dev.lockstep.comm.Communicator;
import java.util.List;
import java.util.Map;

/**
 * Samples that can be read in any order by index, lazily: values come from the file when they are
 * first asked for, and stay in a cache of bounded size.
 *
 * <p>A sample is a row of features and a row of targets. Values are read as {@code double} whatever
 * the file's type is, because coordinates such as hours since year 0 do not fit a {@code float}
 * before they are normalised; {@link Normalizer#apply(double[], int, java.nio.FloatBuffer)} rounds
 * them to the model's type afterwards. Reading allocates nothing once the cache holds the values.
 *
 * <p>Thread-safe: concurrent calls of {@code read} are serialised.
 */
public interface Dataset extends AutoCloseable {
  /** The number of samples; indices run from 0 to {@code size() - 1}. */
  long size();

  /** One name for each feature column, in the order of {@code read}. */
  List<String> featureNames();

  /** One name for each target column, in the order of {@code read}; may be empty. */
  List<String> targetNames();

  /**
   * The variables of a file, and functions of them, that give the feature columns; a variable with
   * several columns stands for all of them.
   */
  default List<FeatureConfig> recipe() {
    return FeatureConfig.ofVariables(featureNames());
  }

  /** The units of the features' and targets' variables, by the names of those, where known. */
  default Map<String, String> units() {
    return Map.of();
  }

  /**
   * Values of one channel in a sample: 1 for points, and the cells of the grid for fields, whose
   * names are then those of channels. Rows hold one channel after the other.
   */
  default int cells() {
    return 1;
  }

  /** The shape of one sample's features, as a network takes them. */
  default long[] featureShape() {
    return new long[] {featureNames().size()};
  }

  /** The shape of one sample's targets. */
  default long[] targetShape() {
    return new long[] {targetNames().size()};
  }

  /**
   * The weight of each cell in losses and scores; a target that is NaN has none. Their mean over
   * the training samples' targets is 1. Empty if all count alike and none is missing.
   */
  default double[] cellWeights() {
    return new double[0];
  }

  /**
   * The weight of each target in the loss; their mean is 1. Empty if all count alike. Scores heed
   * none.
   */
  default double[] targetWeights() {
    return new double[0];
  }

  /** Which samples to train on and which to hold out. */
  default Split split(DataConfig config) {
    return Split.of(size(), config.validationFraction(), config.seed());
  }

  /** Measures how to normalise, over all ranks; as {@link Normalizer#fit}. */
  default Normalizer.Pair normalizers(long[] samples, Communicator communicator) {
    return Normalizer.fit(this, samples, communicator);
  }

  /**
   * Reads the samples {@code indices[from]} … {@code indices[from + count - 1]}.
   *
   * @param indices sample indices; any order, repeats allowed
   * @param from the first element of {@code indices} to read
   * @param count how many to read; zero is valid
   * @param features receives {@code count × featureNames().size() × cells()} values from element 0
   *     on, one sample after another (row-major)
   * @param targets receives {@code count × targetNames().size() × cells()} values likewise
   * @throws IndexOutOfBoundsException if an index is not that of a sample, or a range does not fit
   *     its array
   * @throws DataException if the file cannot be read, or holds a missing value where none may be
   */
  void read(long[] indices, int from, int count, double[] features, double[] targets);

  /**
   * How many samples are worth reading at once: at most {@code most}, and fewer where there are no
   * more, or where rows are so long that they would take more than 8 MiB.
   *
   * @return at least 1
   */
  default int rowsAtOnce(int most) {
    long columns = Math.max(1, (long) featureNames().size() + targetNames().size());
    return (int) Math.max(1, Math.min(Math.min(most, size()), (1 << 20) / columns));
  }

  /**
   * Where a sample lies in its file: the row of a table, or the position in the grid in C order,
   * counting also the points that were dropped.
   *
   * @throws IndexOutOfBoundsException if there is no such sample
   */
  long point(long sample);

  /** One line about where the samples come from and how many points were dropped, for logs. */
  String description();

  /** Closes the file. Closing twice is harmless. */
  @Override
  void close();
}
