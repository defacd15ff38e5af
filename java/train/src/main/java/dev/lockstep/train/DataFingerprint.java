package dev.lockstep.train;

import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.files.Sha256;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * What tells one data set, and one split of it, from another.
 *
 * @param size samples
 * @param description where they come from, for messages; the same data may lie elsewhere
 * @param features names in order
 * @param targets names in order
 * @param rowsSha256 of some {@value #SAMPLED_ROWS} rows spread over all
 * @param splitSha256 of the numbers of samples on both sides, and of which some of them are
 */
record DataFingerprint(
    long size,
    String description,
    List<String> features,
    List<String> targets,
    String rowsSha256,
    String splitSha256) {
  private static final int SAMPLED_ROWS = 64;
  private static final int SAMPLED_INDICES = 4096;

  /** Of wide rows fewer are looked at. */
  private static final long SAMPLED_VALUES = 1 << 20;

  DataFingerprint {
    features = List.copyOf(features);
    targets = List.copyOf(targets);
  }

  static DataFingerprint of(Dataset dataset, Split split) {
    return new DataFingerprint(
        dataset.size(),
        dataset.description(),
        dataset.featureNames(),
        dataset.targetNames(),
        rows(dataset),
        split(split));
  }

  private static String rows(Dataset dataset) {
    long width =
        (long) dataset.cells() * (dataset.featureNames().size() + dataset.targetNames().size());
    long most = Math.max(2, Math.min(SAMPLED_ROWS, SAMPLED_VALUES / Math.max(1, width)));
    int count = (int) Math.min(most, dataset.size());
    long[] indices = new long[count];
    for (int i = 0; i < count; i++) {
      indices[i] = count == 1 ? 0 : i * (dataset.size() - 1) / (count - 1);
    }
    double[] features = new double[count * dataset.featureNames().size() * dataset.cells()];
    double[] targets = new double[count * dataset.targetNames().size() * dataset.cells()];
    dataset.read(indices, 0, count, features, targets);
    MessageDigest digest = Sha256.digest();
    add(digest, features);
    add(digest, targets);
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void add(MessageDigest digest, double[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Double.BYTES);
    bytes.asDoubleBuffer().put(values);
    digest.update(bytes);
  }

  private static String split(Split split) {
    MessageDigest digest = Sha256.digest();
    add(digest, split.train());
    add(digest, split.validation());
    if (split.test().length > 0) {
      add(digest, split.test());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void add(MessageDigest digest, long[] indices) {
    int count = Math.min(SAMPLED_INDICES, indices.length);
    ByteBuffer bytes = ByteBuffer.allocate((count + 1) * Long.BYTES).putLong(indices.length);
    for (int i = 0; i < count; i++) {
      bytes.putLong(indices[(int) ((long) i * (indices.length - 1) / Math.max(1, count - 1))]);
    }
    digest.update(bytes.flip());
  }

  /** What keeps a run with {@code other} from going on with this one's state. */
  Optional<String> differenceTo(DataFingerprint other) {
    if (!features.equals(other.features)) {
      return Optional.of("it was made with data.features " + features + ", not " + other.features);
    }
    if (!targets.equals(other.targets)) {
      return Optional.of("it was made with data.targets " + targets + ", not " + other.targets);
    }
    if (size != other.size) {
      return Optional.of("it was made with " + size + " samples, not " + other.size);
    }
    if (!rowsSha256.equals(other.rowsSha256)) {
      return Optional.of(
          "it was made with other data of the same size ("
              + description
              + "; this run has "
              + other.description
              + ")");
    }
    if (!splitSha256.equals(other.splitSha256)) {
      return Optional.of(
          "it was made with another split into training and held-out samples: give back its"
              + " data.seed and data.validation_fraction");
    }
    return Optional.empty();
  }
}
