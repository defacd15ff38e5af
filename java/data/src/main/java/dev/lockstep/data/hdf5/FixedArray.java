package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.hdf5.ChunkIndex.ElementVisitor;
import java.nio.ByteBuffer;

/** A fixed array (specification, VII.C): the index of chunks of a shape that cannot grow. */
final class FixedArray {
  private final Storage storage;
  private final int elementBytes;
  private final long pageElements;
  private final long elements;
  private final long block;

  FixedArray(Storage storage, long address) {
    this.storage = storage;
    int headerBytes = 8 + storage.lengthBytes + storage.offsetBytes + Checksum.BYTES;
    ByteBuffer header = storage.readChecked(address, headerBytes, "FAHD");
    header.position(6);
    elementBytes = Byte.toUnsignedInt(header.get());
    int pageBits = Byte.toUnsignedInt(header.get());
    elements = storage.length(header);
    block = storage.offset(header);
    if (elementBytes < storage.offsetBytes || pageBits > 62 || elements < 0) {
      throw new UnreadableException("is damaged: its fixed array is inconsistent");
    }
    pageElements = 1L << pageBits;
  }

  void visit(ElementVisitor visitor) {
    if (block == Storage.UNDEFINED) {
      return;
    }
    int prefix = 6 + storage.offsetBytes;
    if (elements <= pageElements) {
      long bytes = prefix + elements * elementBytes + Checksum.BYTES;
      ByteBuffer all = storage.readChecked(block, bytes, "FADB").position(prefix);
      visitAll(all.slice().order(all.order()), 0, elementBytes, visitor);
      return;
    }
    long pages = (elements + pageElements - 1) / pageElements;
    long bitmapBytes = (pages + 7) / 8;
    ByteBuffer bitmap = storage.readChecked(block, prefix + bitmapBytes + Checksum.BYTES, "FADB");
    long page = block + prefix + bitmapBytes + Checksum.BYTES;
    for (long p = 0; p < pages; p++) {
      long from = p * pageElements;
      long bytes = Math.min(pageElements, elements - from) * elementBytes;
      if (isSet(bitmap, prefix, p)) {
        visitAll(readPage(storage, page, bytes), from, elementBytes, visitor);
      }
      page += bytes + Checksum.BYTES;
    }
  }

  /** Bits count from the highest of the first byte. */
  static boolean isSet(ByteBuffer bitmap, int start, long bit) {
    return (bitmap.get(start + (int) (bit / 8)) << (int) (bit % 8) & 0x80) != 0;
  }

  /** The elements of a page, whose checksum has no letters before it. */
  static ByteBuffer readPage(Storage storage, long address, long bytes) {
    ByteBuffer page = storage.read(address, bytes + Checksum.BYTES);
    Checksum.verify(page, "page of an index");
    return page.limit((int) bytes);
  }

  static void visitAll(ByteBuffer elements, long from, int elementBytes, ElementVisitor visitor) {
    int count = elements.remaining() / elementBytes;
    for (int i = 0; i < count; i++) {
      visitor.visit(
          from + i, elements.slice(i * elementBytes, elementBytes).order(elements.order()));
    }
  }
}
