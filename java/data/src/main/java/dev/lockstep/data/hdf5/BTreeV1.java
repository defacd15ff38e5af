package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;

/** Version 1 B-trees (specification, III.A.1): of a group's symbol tables and of old chunks. */
final class BTreeV1 {
  static final int GROUP = 0;
  static final int CHUNKS = 1;
  private static final int MAX_LEVELS = 64;

  /** Receives each entry of the leaves with its left key, in order. */
  interface Visitor {
    void visit(ByteBuffer key, long child);
  }

  private BTreeV1() {}

  static void visit(Storage storage, long address, int type, int keyBytes, Visitor visitor) {
    visit(storage, address, type, keyBytes, MAX_LEVELS, visitor);
  }

  private static void visit(
      Storage storage, long address, int type, int keyBytes, int below, Visitor visitor) {
    int prefix = 8 + 2 * storage.offsetBytes;
    ByteBuffer head = storage.read(address, prefix, "TREE");
    int found = Byte.toUnsignedInt(head.get());
    int level = Byte.toUnsignedInt(head.get());
    int entries = Short.toUnsignedInt(head.getShort());
    // Each level lies strictly below the last, so a cycle of addresses ends.
    if (found != type || level >= below) {
      throw new UnreadableException(
          "is damaged: its B-tree at address " + address + " is inconsistent");
    }
    int entryBytes = keyBytes + storage.offsetBytes;
    ByteBuffer node = storage.read(address + prefix, (long) entries * entryBytes);
    for (int i = 0; i < entries; i++) {
      ByteBuffer key = node.slice(i * entryBytes, keyBytes).order(node.order());
      node.position(i * entryBytes + keyBytes);
      long child = storage.offset(node);
      if (level == 0) {
        visitor.visit(key, child);
      } else {
        visit(storage, child, type, keyBytes, level, visitor);
      }
    }
  }
}
