package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** The file's global heap (specification, III.E), which holds values of variable length. */
final class GlobalHeap {
  private static final int MOST_COLLECTIONS = 16;

  private final Storage storage;

  /** The collections used last: a file's attributes lie together, and each may be large. */
  private final Map<Long, Map<Integer, ByteBuffer>> collections =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Map<Integer, ByteBuffer>> eldest) {
          return size() > MOST_COLLECTIONS;
        }
      };

  GlobalHeap(Storage storage) {
    this.storage = storage;
  }

  /** The value that a reference in an attribute's data names; empty for length zero. */
  ByteBuffer get(ByteBuffer reference, int elementBytes) {
    long length = Integer.toUnsignedLong(reference.getInt());
    long address = storage.offset(reference);
    int index = reference.getInt();
    if (length == 0 || address == 0 || address == Storage.UNDEFINED) {
      return ByteBuffer.allocate(0);
    }
    ByteBuffer found = collections.computeIfAbsent(address, this::load).get(index);
    if (found == null || length * elementBytes > found.capacity()) {
      throw new UnreadableException("is damaged: a value of variable length is not in its heap");
    }
    return found.duplicate().order(found.order()).limit((int) (length * elementBytes));
  }

  private Map<Integer, ByteBuffer> load(long address) {
    int prefix = 8 + storage.lengthBytes;
    ByteBuffer head = storage.read(address, prefix, "GCOL");
    long bytes = storage.length(head.position(8));
    ByteBuffer all = storage.read(address, bytes).position(prefix);
    Map<Integer, ByteBuffer> objects = new HashMap<>();
    while (all.remaining() >= prefix) {
      int at = all.position();
      int index = Short.toUnsignedInt(all.getShort(at));
      long size = storage.length(all.position(at + 8));
      if (index == 0) {
        break; // The free space at the end.
      }
      objects.put(index, all.slice(all.position(), Math.toIntExact(size)).order(all.order()));
      long next = all.position() + (size + 7 & ~7L);
      all.position((int) Math.min(next, all.limit()));
    }
    return objects;
  }
}
