package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.hdf5.ChunkIndex.ElementVisitor;
import java.nio.ByteBuffer;

/**
 * An extensible array (specification, VII.D): the index of chunks of a shape with one unlimited
 * dimension. The first elements lie in the index block, the next in data blocks that it names, the
 * others in data blocks of super blocks; sizes double with every second super block.
 */
final class ExtensibleArray {
  private final Storage storage;
  private final int elementBytes;
  private final int elementBits;
  private final int indexElements;
  private final int smallestBlock;
  private final int smallestPointers;
  private final long pageElements;
  private final int offsetBytes;
  private final long indexBlock;

  ExtensibleArray(Storage storage, long address) {
    this.storage = storage;
    int bytes = 12 + 6 * storage.lengthBytes + storage.offsetBytes + Checksum.BYTES;
    ByteBuffer header = storage.readChecked(address, bytes, "EAHD");
    header.position(6);
    elementBytes = Byte.toUnsignedInt(header.get());
    elementBits = Byte.toUnsignedInt(header.get());
    indexElements = Byte.toUnsignedInt(header.get());
    smallestBlock = Byte.toUnsignedInt(header.get());
    smallestPointers = Byte.toUnsignedInt(header.get());
    int pageBits = Byte.toUnsignedInt(header.get());
    indexBlock = storage.offset(header.position(12 + 6 * storage.lengthBytes));
    boolean powers =
        Integer.bitCount(smallestBlock) == 1 && Integer.bitCount(smallestPointers) == 1;
    if (elementBytes < storage.offsetBytes || elementBits > 63 || pageBits > 62 || !powers) {
      throw new UnreadableException("is damaged: its extensible array is inconsistent");
    }
    pageElements = 1L << pageBits;
    offsetBytes = (elementBits + 7) / 8;
  }

  private static int log2(int power) {
    return Integer.numberOfTrailingZeros(power);
  }

  /** Data blocks of super block {@code s}. */
  private static long blocks(int s) {
    return 1L << s / 2;
  }

  /** Elements of each data block of super block {@code s}. */
  private long blockElements(int s) {
    return smallestBlock * (1L << (s + 1) / 2);
  }

  void visit(ElementVisitor visitor) {
    if (indexBlock == Storage.UNDEFINED) {
      return;
    }
    int superBlocks = Math.max(0, 1 + elementBits - log2(smallestBlock));
    int inIndex = Math.min(superBlocks, 2 * log2(smallestPointers));
    int dataBlocks = 2 * (smallestPointers - 1);
    int prefix = 6 + storage.offsetBytes;
    long pointers = (long) (dataBlocks + superBlocks - inIndex) * storage.offsetBytes;
    long elementsEnd = prefix + (long) indexElements * elementBytes;
    ByteBuffer index =
        storage.readChecked(indexBlock, elementsEnd + pointers + Checksum.BYTES, "EAIB");
    FixedArray.visitAll(
        index.slice(prefix, indexElements * elementBytes).order(index.order()),
        0,
        elementBytes,
        visitor);
    index.position((int) elementsEnd);
    long from = indexElements;
    for (int s = 0; s < inIndex; s++) {
      for (long b = 0; b < blocks(s); b++) {
        visitBlock(storage.offset(index), from, blockElements(s), visitor);
        from += blockElements(s);
      }
    }
    for (int s = inIndex; s < superBlocks; s++) {
      visitSuperBlock(storage.offset(index), s, from, visitor);
      from += blocks(s) * blockElements(s);
    }
  }

  private void visitBlock(long address, long from, long elements, ElementVisitor visitor) {
    if (address != Storage.UNDEFINED) {
      int prefix = 6 + storage.offsetBytes + offsetBytes;
      long bytes = prefix + elements * elementBytes + Checksum.BYTES;
      ByteBuffer block = storage.readChecked(address, bytes, "EADB").position(prefix);
      FixedArray.visitAll(block.slice().order(block.order()), from, elementBytes, visitor);
    }
  }

  private void visitSuperBlock(long address, int s, long from, ElementVisitor visitor) {
    if (address == Storage.UNDEFINED) {
      return;
    }
    long elements = blockElements(s);
    long pages = elements > pageElements ? elements / pageElements : 0;
    long bitmapBytes = blocks(s) * ((pages + 7) / 8);
    int prefix = 6 + storage.offsetBytes + offsetBytes;
    long bytes = prefix + bitmapBytes + blocks(s) * storage.offsetBytes + Checksum.BYTES;
    ByteBuffer block = storage.readChecked(address, bytes, "EASB");
    block.position(Math.toIntExact(prefix + bitmapBytes));
    for (long b = 0; b < blocks(s); b++) {
      long data = storage.offset(block);
      if (pages == 0) {
        visitBlock(data, from, elements, visitor);
      } else if (data != Storage.UNDEFINED) {
        long pageBytes = pageElements * elementBytes;
        for (long p = 0; p < pages; p++) {
          if (FixedArray.isSet(block, prefix, b * pages + p)) {
            long page = data + prefix + Checksum.BYTES + p * (pageBytes + Checksum.BYTES);
            FixedArray.visitAll(
                FixedArray.readPage(storage, page, pageBytes),
                from + p * pageElements,
                elementBytes,
                visitor);
          }
        }
      }
      from += elements;
    }
  }
}
