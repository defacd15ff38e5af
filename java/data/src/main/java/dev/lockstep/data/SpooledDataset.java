package dev.lockstep.data;

import dev.lockstep.files.FreeSpace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data set that copies its rows, in order, into a temporary file when a sample is first asked for
 * out of order. Training takes samples in random order; where a file has to be read in large pieces
 * (compressed chunks) and does not fit into memory, each sample would take the reading of a whole
 * piece. Without room for the copy, samples come from the source. Thread-safe, as its source is.
 */
final class SpooledDataset extends DatasetCopy {
  private static final Logger log = LoggerFactory.getLogger(SpooledDataset.class);
  private static final int MOST_ROWS = 1024;

  private @Nullable FileChannel rows;
  private boolean roomy = true;
  private long next;

  SpooledDataset(Dataset source) {
    super(source);
  }

  @Override
  public synchronized void read(
      long[] indices, int from, int count, double[] features, double[] targets) {
    if (rows == null && roomy && !isNext(indices, from, count)) {
      copyAll();
    }
    if (rows == null) {
      source.read(indices, from, count, features, targets);
      next = count == 0 ? next : indices[from + count - 1] + 1;
      return;
    }
    ByteBuffer row = ByteBuffer.allocate((featureCount + targetCount) * Double.BYTES);
    try {
      for (int i = 0; i < count; i++) {
        long sample = Objects.checkIndex(indices[from + i], size());
        TemporaryFile.read(rows, row.clear(), sample * row.capacity());
        row.flip().asDoubleBuffer().get(features, i * featureCount, featureCount);
        row.position(featureCount * Double.BYTES);
        row.asDoubleBuffer().get(targets, i * targetCount, targetCount);
      }
    } catch (IOException e) {
      throw new DataException(
          TemporaryFile.folder().toString(), "the copy of the data there cannot be read", e);
    }
  }

  /** Whether the samples go on where the last ones ended, gaps aside. */
  private boolean isNext(long[] indices, int from, int count) {
    long last = next - 1;
    boolean ascending = true;
    for (int i = from; i < from + count; i++) {
      ascending &= indices[i] > last;
      last = indices[i];
    }
    return ascending;
  }

  private void copyAll() {
    long bytes = bytes(source);
    String room =
        String.format(
            Locale.ROOT, "%s lacks room for %.1f GiB", TemporaryFile.folder(), bytes / 0x1p30);
    try {
      if (FreeSpace.of(TemporaryFile.folder()) < bytes) {
        roomy = false;
        log.warn("{}: samples are read from the file itself, slowly; set java.io.tmpdir", room);
        return;
      }
      FileChannel copy = TemporaryFile.open();
      try {
        copyRows(copy);
        rows = copy;
      } finally {
        if (rows == null) {
          copy.close();
        }
      }
    } catch (IOException e) {
      throw new DataException(
          source.description(),
          "cannot be copied: " + room + ", or is damaged; set java.io.tmpdir",
          e);
    }
  }

  private void copyRows(FileChannel into) throws IOException {
    int rowsAtOnce = rowsAtOnce(MOST_ROWS);
    long[] indices = new long[rowsAtOnce];
    double[] features = new double[rowsAtOnce * featureCount];
    double[] targets = new double[rowsAtOnce * targetCount];
    ByteBuffer bytes =
        ByteBuffer.allocate(rowsAtOnce * (featureCount + targetCount) * Double.BYTES);
    for (long from = 0; from < size(); from += rowsAtOnce) {
      int count = (int) Math.min(rowsAtOnce, size() - from);
      for (int i = 0; i < count; i++) {
        indices[i] = from + i;
      }
      source.read(indices, 0, count, features, targets);
      bytes.clear();
      for (int i = 0; i < count; i++) {
        for (int f = 0; f < featureCount; f++) {
          bytes.putDouble(features[i * featureCount + f]);
        }
        for (int t = 0; t < targetCount; t++) {
          bytes.putDouble(targets[i * targetCount + t]);
        }
      }
      TemporaryFile.append(into, bytes.flip());
    }
  }

  @Override
  public synchronized void close() {
    super.close();
    if (rows != null) {
      try {
        rows.close();
      } catch (IOException e) {
        throw new DataException(TemporaryFile.folder().toString(), "cannot be closed", e);
      }
    }
  }
}
