package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;

/**
 * Messages that several object headers share through the file's table (specification, IV.A.2.p and
 * III.I). The heap of the index that keeps the type holds them.
 */
final class SharedMessages {
  private static final int INDEX_BYTES_WITHOUT_ADDRESSES = 14;

  private SharedMessages() {}

  static ByteBuffer find(Storage storage, int type, ByteBuffer reference) {
    byte[] heapId = new byte[8];
    reference.get(heapId);
    if (storage.extension == Storage.UNDEFINED) {
      throw new UnreadableException("uses shared messages, but the file has no table of them");
    }
    ByteBuffer table =
        ObjectHeader.read(storage, storage.extension)
            .require(ObjectHeader.SHARED_TABLE, "table of shared messages");
    table.get();
    long address = storage.offset(table);
    int indexes = Byte.toUnsignedInt(table.get());
    int indexBytes = INDEX_BYTES_WITHOUT_ADDRESSES + 2 * storage.offsetBytes;
    ByteBuffer list =
        storage.readChecked(address, 4 + (long) indexes * indexBytes + Checksum.BYTES, "SMTB");
    for (int i = 0; i < indexes; i++) {
      list.position(4 + i * indexBytes + 2);
      int types = Short.toUnsignedInt(list.getShort());
      list.position(list.position() + 10);
      storage.offset(list);
      long heap = storage.offset(list);
      if ((types >> type & 1) != 0) {
        return FractalHeap.open(storage, heap).get(ByteBuffer.wrap(heapId));
      }
    }
    throw new UnreadableException("uses a shared message of type " + type + " that no index keeps");
  }
}
