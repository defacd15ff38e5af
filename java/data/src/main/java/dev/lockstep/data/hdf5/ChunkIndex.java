package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;

/**
 * Reads the index of a chunked data set, of whichever of the six kinds (specification, VII), into a
 * table.
 */
final class ChunkIndex {
  private final Storage storage;
  private final ChunkGrid grid;
  private final Layout layout;
  private final boolean filtered;
  private final long chunkBytes;
  private final ChunkTable table = new ChunkTable();

  private ChunkIndex(
      Storage storage, ChunkGrid grid, Layout layout, boolean filtered, int elementBytes) {
    this.storage = storage;
    this.grid = grid;
    this.layout = layout;
    this.filtered = filtered;
    chunkBytes = Math.multiplyExact(grid.chunkSize(), elementBytes);
  }

  static ChunkTable read(
      Storage storage, ChunkGrid grid, Layout layout, boolean filtered, int elementBytes) {
    ChunkIndex index = new ChunkIndex(storage, grid, layout, filtered, elementBytes);
    if (layout.address() != Storage.UNDEFINED) {
      index.fill();
    }
    return index.table.seal();
  }

  private void fill() {
    switch (layout.index()) {
      case B_TREE_1 -> readOldTree();
      case SINGLE ->
          table.add(
              0,
              layout.address(),
              layout.singleBytes() > 0 ? layout.singleBytes() : chunkBytes,
              layout.singleMask());
      case IMPLICIT -> readImplicit();
      case FIXED_ARRAY -> new FixedArray(storage, layout.address()).visit(this::addElement);
      case EXTENSIBLE_ARRAY ->
          new ExtensibleArray(storage, layout.address()).visit(this::addElement);
      case B_TREE_2 -> readNewTree();
    }
  }

  private void readOldTree() {
    int rank = grid.chunk().length;
    long[] coordinates = new long[rank];
    BTreeV1.visit(
        storage,
        layout.address(),
        BTreeV1.CHUNKS,
        8 + 8 * (rank + 1),
        (key, child) -> {
          long size = Integer.toUnsignedLong(key.getInt());
          int mask = key.getInt();
          for (int d = 0; d < rank; d++) {
            coordinates[d] = key.getLong() / grid.chunk()[d];
          }
          table.add(grid.number(coordinates), child, size, mask);
        });
  }

  /** All chunks lie next to each other, whether or not they were written. */
  private void readImplicit() {
    int rank = grid.chunk().length;
    long[] coordinates = new long[rank];
    long chunks = 1;
    for (long count : grid.counts()) {
      chunks = Math.multiplyExact(chunks, count);
    }
    if (chunks > storage.fileSize() / chunkBytes + 1) {
      throw new UnreadableException("is cut short: its chunks do not fit the file");
    }
    for (long number = 0; number < chunks; number++) {
      long left = number;
      for (int d = rank - 1; d >= 0; d--) {
        coordinates[d] = left % grid.counts()[d];
        left /= grid.counts()[d];
      }
      long address = layout.address() + grid.arrayPosition(coordinates) * chunkBytes;
      table.add(number, address, chunkBytes, 0);
    }
  }

  private void readNewTree() {
    int rank = grid.chunk().length;
    long[] coordinates = new long[rank];
    BTreeV2 tree = BTreeV2.open(storage, layout.address());
    int sizeBytes = tree.recordBytes - storage.offsetBytes - 4 - 8 * rank;
    tree.visit(
        record -> {
          long address = storage.offset(record);
          long size = filtered ? Storage.unsigned(record, sizeBytes) : chunkBytes;
          int mask = filtered ? record.getInt() : 0;
          for (int d = 0; d < rank; d++) {
            coordinates[d] = record.getLong();
          }
          table.add(grid.number(coordinates), address, size, mask);
        });
  }

  /** An element of an array index: an address, and for filtered chunks size and mask. */
  private void addElement(long position, ByteBuffer element) {
    int elementBytes = element.remaining();
    long address = storage.offset(element);
    if (address == Storage.UNDEFINED) {
      return;
    }
    int sizeBytes = elementBytes - storage.offsetBytes - 4;
    long size = filtered ? Storage.unsigned(element, sizeBytes) : chunkBytes;
    int mask = filtered ? element.getInt() : 0;
    table.add(grid.numberOfArrayPosition(position), address, size, mask);
  }

  /** Receives an array's elements; positions not handed over were never written. */
  interface ElementVisitor {
    void visit(long position, ByteBuffer element);
  }
}
