package dev.lockstep.data.hdf5;

import dev.lockstep.data.ChunkCache;
import dev.lockstep.data.UnreadableException;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads the numbers of one data set. Its shape may be larger than what is stored: NetCDF lets
 * variables of one unlimited dimension have different lengths, and what lies beyond is missing. Not
 * thread-safe.
 */
final class ValueReader {
  private static final int WINDOW_BYTES = 1 << 16;

  private final Storage storage;
  private final ChunkCache cache;
  private final long address;
  private final NumberFormat format;
  private final Layout layout;
  private final FilterPipeline filters;
  private final Dataspace space;
  private final double unwritten;
  private @Nullable ChunkGrid grid;
  private @Nullable ChunkTable table;

  /**
   * The chunk used last, so that runs of one chunk need no look-up; null if never written, and
   * between calls: what is kept for longer is the cache's to bound.
   */
  private byte @Nullable [] lastChunk;

  private long lastNumber = -1;

  /**
   * Prepares to read a data set.
   *
   * @param unwritten what values read as that were never written
   * @throws UnreadableException if its values cannot be read
   */
  ValueReader(
      Storage storage,
      ChunkCache cache,
      ObjectHeader header,
      Datatype type,
      Dataspace space,
      double unwritten) {
    this.storage = storage;
    this.cache = cache;
    this.space = space;
    this.unwritten = unwritten;
    address = header.address();
    format = Objects.requireNonNull(type.number());
    if (header.has(ObjectHeader.EXTERNAL_FILES)) {
      throw new UnreadableException("keeps its values in other files, which are not read");
    }
    layout = Layout.parse(storage, header.require(ObjectHeader.LAYOUT, "data layout"));
    var pipeline = header.find(ObjectHeader.FILTERS);
    filters = pipeline == null ? FilterPipeline.NONE : FilterPipeline.parse(pipeline);
    if (layout.kind() == Layout.Kind.CHUNKED) {
      filters.requireDecodable();
      grid = ChunkGrid.of(space, layout.chunk());
      if (Math.multiplyExact(grid.chunkSize(), format.size()) > Integer.MAX_VALUE - 64) {
        throw new UnreadableException("has chunks of more than 2 GiB");
      }
    }
  }

  /** Lengths of a chunk; empty unless the values are chunked. */
  long[] chunk() {
    return layout.chunk();
  }

  /**
   * Reads values in C order.
   *
   * @param shape at least the stored shape
   * @param from position of the first value in {@code shape}
   */
  void read(long[] shape, long from, int count, double[] values) {
    if (layout.kind() != Layout.Kind.CHUNKED) {
      readFlat(from, count, values);
      return;
    }
    int last = shape.length - 1;
    long[] at = new long[shape.length];
    long left = from;
    for (int d = last; d >= 0; d--) {
      at[d] = left % shape[d];
      left /= shape[d];
    }
    for (int done = 0; done < count; ) {
      int run = (int) Math.min(count - done, shape[last] - at[last]);
      readRun(at, run, values, done);
      done += run;
      at[last] += run;
      for (int d = last; d > 0 && at[d] == shape[d]; d--) {
        at[d] = 0;
        at[d - 1]++;
      }
    }
    lastChunk = null;
    lastNumber = -1;
  }

  /** Values next to each other along the last dimension. */
  private void readRun(long[] at, int count, double[] values, int into) {
    int last = at.length - 1;
    long stored = space.lengths()[last] - at[last];
    for (int d = 0; d < last; d++) {
      stored = at[d] < space.lengths()[d] ? stored : 0;
    }
    int inside = (int) Math.max(0, Math.min(count, stored));
    Arrays.fill(values, into + inside, into + count, Double.NaN);
    ChunkGrid chunks = Objects.requireNonNull(grid);
    long[] chunk = chunks.chunk();
    for (int done = 0; done < inside; ) {
      long number = 0;
      long offset = 0;
      for (int d = 0; d <= last; d++) {
        long coordinate = at[d] + (d == last ? done : 0);
        number = number * chunks.counts()[d] + coordinate / chunk[d];
        offset = offset * chunk[d] + coordinate % chunk[d];
      }
      int run = (int) Math.min(inside - done, chunk[last] - (at[last] + done) % chunk[last]);
      byte[] bytes = chunk(number);
      if (bytes == null) {
        Arrays.fill(values, into + done, into + done + run, unwritten);
      } else {
        format.decode(bytes, (int) offset * format.size(), values, into + done, run);
      }
      done += run;
    }
  }

  private byte @Nullable [] chunk(long number) {
    if (number != lastNumber) {
      if (table == null) {
        table =
            ChunkIndex.read(
                storage, Objects.requireNonNull(grid), layout, !filters.isEmpty(), format.size());
      }
      int place = table.find(number);
      lastChunk = place < 0 ? null : cache.get(address, number, () -> decode(number, place));
      lastNumber = number;
    }
    return lastChunk;
  }

  private byte[] decode(long number, int place) {
    ChunkGrid chunks = Objects.requireNonNull(grid);
    ChunkTable stored = Objects.requireNonNull(table);
    byte[] bytes = storage.read(stored.address(place), stored.size(place)).array();
    boolean plain = layout.partialUnfiltered() && isPartial(chunks, number);
    int size = (int) chunks.chunkSize() * format.size();
    return (plain ? FilterPipeline.NONE : filters).decode(bytes, stored.mask(place), size);
  }

  private static boolean isPartial(ChunkGrid chunks, long number) {
    long[] coordinates = new long[chunks.counts().length];
    long left = number;
    for (int d = coordinates.length - 1; d >= 0; d--) {
      coordinates[d] = left % chunks.counts()[d];
      left /= chunks.counts()[d];
    }
    return chunks.isPartial(coordinates);
  }

  /** Compact and contiguous values, which have no holes: all of them or none were written. */
  private void readFlat(long from, int count, double[] values) {
    byte[] inline = layout.inline();
    if (inline != null) {
      format.decode(inline, Math.toIntExact(from * format.size()), values, 0, count);
    } else if (layout.address() == Storage.UNDEFINED) {
      Arrays.fill(values, 0, count, unwritten);
    } else {
      int window = WINDOW_BYTES / format.size();
      for (int done = 0; done < count; done += window) {
        int part = Math.min(window, count - done);
        long start = layout.address() + (from + done) * format.size();
        byte[] bytes = storage.read(start, (long) part * format.size()).array();
        format.decode(bytes, 0, values, done, part);
      }
    }
  }
}
