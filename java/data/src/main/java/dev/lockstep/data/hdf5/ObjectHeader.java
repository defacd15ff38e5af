package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The messages of an object header, versions 1 and 2, with its continuations.
 *
 * @param address where the header lies, which identifies the object
 */
record ObjectHeader(Storage storage, long address, List<Message> messages) {
  static final int DATASPACE = 0x01;
  static final int LINK_INFO = 0x02;
  static final int DATATYPE = 0x03;
  static final int OLD_FILL_VALUE = 0x04;
  static final int FILL_VALUE = 0x05;
  static final int LINK = 0x06;
  static final int EXTERNAL_FILES = 0x07;
  static final int LAYOUT = 0x08;
  static final int FILTERS = 0x0B;
  static final int ATTRIBUTE = 0x0C;
  static final int SHARED_TABLE = 0x0F;
  static final int SYMBOL_TABLE = 0x11;
  static final int ATTRIBUTE_INFO = 0x15;
  private static final int CONTINUATION = 0x10;
  private static final int LAST_KNOWN = 0x18;

  private static final int SHARED = 0x02;
  private static final int MUST_BE_UNDERSTOOD = 0x80;

  /** One message; its data begins at position 0 of the buffer. */
  record Message(int type, int flags, ByteBuffer data) {}

  private record Block(long address, long length) {}

  static ObjectHeader read(Storage storage, long address) {
    ByteBuffer start = storage.readUpTo(address, 48);
    boolean second = start.remaining() >= 8 && start.getInt(0) == 0x5244484F; // "OHDR"
    if (!second && start.get(0) != 1) {
      throw new UnreadableException("has no object header at address " + address);
    }
    ObjectHeader header = new ObjectHeader(storage, address, new ArrayList<>());
    ArrayDeque<Block> blocks = new ArrayDeque<>();
    Set<Long> seen = new HashSet<>(Set.of(address));
    int flags = second ? start.get(5) : 0;
    if (second) {
      int skip = 6 + ((flags & 0x20) != 0 ? 16 : 0) + ((flags & 0x10) != 0 ? 4 : 0);
      int sizeBytes = 1 << (flags & 3);
      long size = Storage.unsigned(start.position(skip), sizeBytes);
      int prefix = skip + sizeBytes;
      ByteBuffer block = storage.readChecked(address, prefix + size + Checksum.BYTES, "OHDR");
      header.parse(block.position(prefix), flags, true, blocks);
    } else {
      long size = Integer.toUnsignedLong(start.getInt(8));
      header.parse(storage.read(address + 16, size), flags, false, blocks);
    }
    while (!blocks.isEmpty()) {
      Block next = blocks.remove();
      if (!seen.add(next.address)) {
        throw new UnreadableException("is damaged: its object header continues in itself");
      }
      ByteBuffer block =
          second
              ? storage.readChecked(next.address, next.length, "OCHK")
              : storage.read(next.address, next.length);
      header.parse(block, flags, second, blocks);
    }
    return header;
  }

  private void parse(ByteBuffer block, int flags, boolean second, ArrayDeque<Block> blocks) {
    boolean ordered = (flags & 0x04) != 0;
    int prefix = second ? (ordered ? 6 : 4) : 8;
    while (block.remaining() >= prefix) {
      int at = block.position();
      int type = second ? Byte.toUnsignedInt(block.get(at)) : block.getShort(at);
      int size = Short.toUnsignedInt(block.getShort(at + (second ? 1 : 2)));
      int messageFlags = block.get(at + (second ? 3 : 4));
      ByteBuffer data = block.slice(at + prefix, size).order(ByteOrder.LITTLE_ENDIAN);
      block.position(at + prefix + size);
      if (type == CONTINUATION) {
        blocks.add(new Block(storage.offset(data), storage.length(data)));
      } else if (type > LAST_KNOWN && (messageFlags & MUST_BE_UNDERSTOOD) != 0) {
        throw new UnreadableException("has a message of the unknown type " + type);
      } else {
        messages.add(new Message(type, messageFlags, data));
      }
    }
  }

  boolean has(int type) {
    return messages.stream().anyMatch(message -> message.type == type);
  }

  /** The data of the first message of a type, also where it is kept outside of this header. */
  @Nullable ByteBuffer find(int type) {
    for (Message message : messages) {
      if (message.type == type) {
        return (message.flags & SHARED) != 0
            ? resolveShared(storage, type, message.data.duplicate().order(ByteOrder.LITTLE_ENDIAN))
            : message.data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
      }
    }
    return null;
  }

  ByteBuffer require(int type, String what) {
    ByteBuffer data = find(type);
    if (data == null) {
      throw new UnreadableException("is damaged: it has no " + what);
    }
    return data;
  }

  /** The messages of a type, with shared ones resolved. */
  List<ByteBuffer> all(int type) {
    List<ByteBuffer> found = new ArrayList<>();
    for (Message message : messages) {
      if (message.type == type) {
        ByteBuffer data = message.data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        found.add((message.flags & SHARED) != 0 ? resolveShared(storage, type, data) : data);
      }
    }
    return found;
  }

  /**
   * Follows a reference to a message: to a committed datatype, or into the table of shared ones.
   */
  static ByteBuffer resolveShared(Storage storage, int type, ByteBuffer reference) {
    int version = reference.get();
    int kind = reference.get();
    if (version == 3 && kind == 1) {
      return SharedMessages.find(storage, type, reference);
    }
    if (version == 1) {
      reference.position(8);
    }
    long address = storage.offset(reference);
    for (Message message : read(storage, address).messages) {
      if (message.type == type && (message.flags & SHARED) == 0) {
        return message.data;
      }
    }
    throw new UnreadableException("refers to a shared message that is not at address " + address);
  }
}
