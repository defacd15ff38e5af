package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A fractal heap (specification, III.G): many small objects in blocks whose sizes double row by
 * row. Holds the links and attributes of objects that have more than a few.
 */
final class FractalHeap {
  private final Storage storage;
  private final int width;
  private final long startBytes;
  private final int directRows;
  private final int heapOffsetBytes;
  private final int heapLengthBytes;
  private final long root;
  private final int rootRows;

  private FractalHeap(Storage storage, long address) {
    this.storage = storage;
    int o = storage.offsetBytes;
    int l = storage.lengthBytes;
    ByteBuffer header = storage.readChecked(address, 26 + 3L * o + 12L * l, "FRHP");
    header.position(7);
    boolean filtered = header.getShort() != 0;
    header.get();
    long mostManaged = Integer.toUnsignedLong(header.getInt());
    header.position(header.position() + 10 * l + 2 * o);
    width = Short.toUnsignedInt(header.getShort());
    startBytes = storage.length(header);
    long mostDirect = storage.length(header);
    int heapBits = Short.toUnsignedInt(header.getShort());
    header.getShort();
    root = storage.offset(header);
    rootRows = Short.toUnsignedInt(header.getShort());
    if (filtered) {
      throw new UnreadableException(
          "keeps links or attributes in a compressed heap, which is not read");
    }
    if (startBytes <= 0 || width == 0 || mostDirect < startBytes) {
      throw new UnreadableException(
          "is damaged: its heap at address " + address + " is inconsistent");
    }
    heapOffsetBytes = (heapBits + 7) / 8;
    heapLengthBytes = Math.min((log2(mostDirect) + 7) / 8, (log2(mostManaged) + 7) / 8);
    directRows = log2(mostDirect) - log2(startBytes) + 2;
  }

  private static int log2(long value) {
    return 63 - Long.numberOfLeadingZeros(Math.max(1, value));
  }

  static FractalHeap open(Storage storage, long address) {
    return new FractalHeap(storage, address);
  }

  /** The object with an identifier. */
  ByteBuffer get(ByteBuffer id) {
    id.order(ByteOrder.LITTLE_ENDIAN);
    int first = id.get(0);
    return switch (first >> 4 & 3) {
      case 0 -> {
        id.position(1);
        long offset = Storage.unsigned(id, heapOffsetBytes);
        yield managed(offset, Storage.unsigned(id, heapLengthBytes));
      }
      case 2 -> id.slice(1, (first & 0xF) + 1).order(ByteOrder.LITTLE_ENDIAN);
      default -> throw new UnreadableException("keeps an object of more than 64 KiB in a heap");
    };
  }

  private ByteBuffer managed(long offset, long length) {
    long block = root;
    long blockOffset = 0;
    int rows = rootRows;
    while (rows > 0) {
      long within = offset - blockOffset;
      int row = 0;
      while (row < rows && within >= width * rowEnd(row)) {
        row++;
      }
      if (row == rows) {
        throw new UnreadableException("is damaged: a heap has no object at offset " + offset);
      }
      long rowStart = row == 0 ? 0 : width * rowEnd(row - 1);
      int column = (int) ((within - rowStart) / rowBytes(row));
      blockOffset += rowStart + column * rowBytes(row);
      block = child(block, rows, row * width + column);
      rows = row < directRows ? 0 : log2(rowBytes(row)) - log2(startBytes * width) + 1;
    }
    return storage.read(block + (offset - blockOffset), length);
  }

  private long rowBytes(int row) {
    return row == 0 ? startBytes : startBytes << (row - 1);
  }

  /** Bytes of one column from the first row to the end of a row. */
  private long rowEnd(int row) {
    return startBytes << row;
  }

  private long child(long indirect, int rows, int index) {
    int prefix = 5 + storage.offsetBytes + heapOffsetBytes;
    long bytes = prefix + (long) rows * width * storage.offsetBytes + Checksum.BYTES;
    ByteBuffer block = storage.readChecked(indirect, bytes, "FHIB");
    long address = storage.offset(block.position(prefix + index * storage.offsetBytes));
    if (address == Storage.UNDEFINED) {
      throw new UnreadableException("is damaged: a heap refers to a block that was never written");
    }
    return address;
  }
}
