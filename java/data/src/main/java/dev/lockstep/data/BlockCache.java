package dev.lockstep.data;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Blocks of values that have been read, up to a limit of memory shared by all columns of a data
 * set. When the limit is reached the blocks that were loaded first go first. Not thread-safe.
 */
public final class BlockCache {
  private final long limitValues;
  private final ArrayDeque<Slot> loaded = new ArrayDeque<>();
  private long values;

  private record Slot(Values owner, int block) {}

  /** Fills {@code values} with {@code count} values from position {@code from} on. */
  public interface Loader {
    void load(long from, int count, double[] values);
  }

  /** With room for about {@code limitBytes}, and for one block at least. */
  public BlockCache(long limitBytes) {
    limitValues = limitBytes / Double.BYTES;
  }

  /** One array behind the cache. */
  public final class Values {
    private final long size;
    private final int blockLength;
    private final Loader loader;
    private final double[] @Nullable [] blocks;

    /** An array of {@code size} values, loaded {@code blockLength} at a time. */
    public Values(long size, int blockLength, Loader loader) {
      this.size = size;
      this.blockLength = blockLength;
      this.loader = loader;
      long count = size / blockLength + 1;
      if (count > Integer.MAX_VALUE - 8) {
        throw new IllegalArgumentException(size + " values are too many for one array");
      }
      blocks = new double[(int) count][];
    }

    /** One value. */
    public double at(long position) {
      int block = (int) (position / blockLength);
      double[] values = blocks[block];
      if (values == null) {
        values = load(block);
      }
      return values[(int) (position - (long) block * blockLength)];
    }

    /** Copies {@code count} values from {@code position} on to {@code out[at]} and behind it. */
    public void copy(long position, int count, double[] out, int at) {
      int done = 0;
      while (done < count) {
        int block = (int) ((position + done) / blockLength);
        int offset = (int) (position + done - (long) block * blockLength);
        double[] values = blocks[block];
        if (values == null) {
          values = load(block);
        }
        int piece = Math.min(count - done, values.length - offset);
        System.arraycopy(values, offset, out, at + done, piece);
        done += piece;
      }
    }

    private double[] load(int block) {
      long from = (long) block * blockLength;
      int count = (int) Math.min(blockLength, size - from);
      double[] values = new double[count];
      loader.load(from, count, values);
      BlockCache.this.values += count;
      loaded.add(new Slot(this, block));
      blocks[block] = values;
      evict();
      return values;
    }
  }

  private void evict() {
    while (values > limitValues && loaded.size() > 1) {
      Slot oldest = loaded.remove();
      double[] gone = oldest.owner.blocks[oldest.block];
      values -= gone == null ? 0 : gone.length;
      oldest.owner.blocks[oldest.block] = null;
    }
  }
}
