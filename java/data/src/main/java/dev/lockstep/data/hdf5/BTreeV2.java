package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** Version 2 B-trees (specification, III.A.2), read from the first record to the last. */
final class BTreeV2 {
  private static final int NODE_OVERHEAD = 10;
  private static final int MAX_DEPTH = 32;

  private final Storage storage;
  private final int nodeBytes;

  /** Bytes of one record. */
  final int recordBytes;

  private final int depth;
  private final long root;
  private final int rootRecords;

  /** Bytes of a child's own count of records, and of all below a child, by depth. */
  private final int countBytes;

  private final int[] totalBytes;

  private BTreeV2(Storage storage, long address) {
    this.storage = storage;
    int headerBytes = 18 + storage.offsetBytes + storage.lengthBytes + Checksum.BYTES;
    ByteBuffer header = storage.readChecked(address, headerBytes, "BTHD");
    header.position(6);
    nodeBytes = header.getInt();
    recordBytes = Short.toUnsignedInt(header.getShort());
    depth = Short.toUnsignedInt(header.getShort());
    header.position(header.position() + 2);
    root = storage.offset(header);
    rootRecords = Short.toUnsignedInt(header.getShort());
    if (recordBytes == 0 || nodeBytes <= NODE_OVERHEAD || depth > MAX_DEPTH) {
      throw new UnreadableException(
          "is damaged: its B-tree at address " + address + " is inconsistent");
    }
    totalBytes = new int[depth + 1];
    long most = (nodeBytes - NODE_OVERHEAD) / recordBytes;
    countBytes = bytesFor(most);
    long total = most;
    for (int d = 1; d <= depth; d++) {
      int pointer = storage.offsetBytes + countBytes + totalBytes[d - 1];
      most = (nodeBytes - NODE_OVERHEAD - pointer) / (recordBytes + pointer);
      total = (most + 1) * total + most;
      totalBytes[d] = bytesFor(total);
    }
  }

  private static int bytesFor(long count) {
    return (63 - Long.numberOfLeadingZeros(Math.max(1, count))) / 8 + 1;
  }

  static BTreeV2 open(Storage storage, long address) {
    return new BTreeV2(storage, address);
  }

  /** Hands over each record, from position 0 to the limit of the buffer. */
  void visit(Consumer<ByteBuffer> visitor) {
    if (root != Storage.UNDEFINED) {
      visit(root, rootRecords, depth, visitor);
    }
  }

  private void visit(long address, int records, int level, Consumer<ByteBuffer> visitor) {
    int pointer =
        level == 0 ? 0 : storage.offsetBytes + countBytes + (level > 1 ? totalBytes[level - 1] : 0);
    long used = 6 + (long) records * recordBytes + (long) (records + 1) * pointer + Checksum.BYTES;
    ByteBuffer node = storage.readChecked(address, used, level == 0 ? "BTLF" : "BTIN");
    node.position(6 + records * recordBytes);
    for (int i = 0; i <= records; i++) {
      if (level > 0) {
        long child = storage.offset(node);
        int count = (int) Storage.unsigned(node, countBytes);
        if (level > 1) {
          Storage.unsigned(node, totalBytes[level - 1]);
        }
        visit(child, count, level - 1, visitor);
      }
      if (i < records) {
        visitor.accept(node.slice(6 + i * recordBytes, recordBytes).order(node.order()));
      }
    }
  }
}
