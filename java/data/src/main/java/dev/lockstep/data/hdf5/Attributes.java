package dev.lockstep.data.hdf5;

import dev.lockstep.data.Packing;
import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.hdf5.Datatype.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * The attributes of an object: numbers as {@code long[]} or {@code double[]}, texts as {@link
 * String}, references as {@link References}; others are left out.
 */
final class Attributes {
  private static final int HEAP_ID_BYTES = 8;
  private static final int MOST_TEXT = 1 << 16;

  private final Storage storage;
  private final GlobalHeap heap;

  /** What an attribute refers to: for each of its elements the address of the first object. */
  record References(List<Long> addresses) {}

  Attributes(Storage storage, GlobalHeap heap) {
    this.storage = storage;
    this.heap = heap;
  }

  Map<String, Object> of(ObjectHeader header) {
    Map<String, Object> attributes = new LinkedHashMap<>();
    for (ByteBuffer message : header.all(ObjectHeader.ATTRIBUTE)) {
      add(message, attributes);
    }
    ByteBuffer info = header.find(ObjectHeader.ATTRIBUTE_INFO);
    if (info != null) {
      info.get();
      boolean ordered = (info.get() & 1) != 0;
      info.position(info.position() + (ordered ? 2 : 0));
      long heapAddress = storage.offset(info);
      long index = storage.offset(info);
      if (heapAddress != Storage.UNDEFINED && index != Storage.UNDEFINED) {
        addDense(heapAddress, index, attributes);
      }
    }
    return attributes;
  }

  private void addDense(long heapAddress, long index, Map<String, Object> attributes) {
    FractalHeap objects = FractalHeap.open(storage, heapAddress);
    BTreeV2.open(storage, index)
        .visit(
            record -> {
              ByteBuffer id = record.slice(0, HEAP_ID_BYTES);
              boolean shared = (record.get(HEAP_ID_BYTES) & 2) != 0;
              try {
                ByteBuffer message =
                    shared
                        ? SharedMessages.find(storage, ObjectHeader.ATTRIBUTE, id)
                        : objects.get(id);
                add(message, attributes);
              } catch (UnreadableException e) {
                // Long lists of references, for example: nothing that changes values.
                attributes.put("(an attribute that " + e.getMessage() + ")", "");
              }
            });
  }

  private void add(ByteBuffer message, Map<String, Object> attributes) {
    int version = message.get();
    int flags = message.get();
    int nameBytes = Short.toUnsignedInt(message.getShort());
    int typeBytes = Short.toUnsignedInt(message.getShort());
    int spaceBytes = Short.toUnsignedInt(message.getShort());
    if (version < 1 || version > 3) {
      throw new UnreadableException("has an attribute of the unknown version " + version);
    }
    message.position(message.position() + (version == 3 ? 1 : 0));
    String name = text(part(message, nameBytes, version));
    ByteBuffer typeMessage = part(message, typeBytes, version);
    ByteBuffer spaceMessage = part(message, spaceBytes, version);
    boolean sharedType = version > 1 && (flags & 1) != 0;
    boolean sharedSpace = version > 1 && (flags & 2) != 0;
    try {
      Datatype type =
          Datatype.parse(
              sharedType
                  ? ObjectHeader.resolveShared(storage, ObjectHeader.DATATYPE, typeMessage)
                      .duplicate()
                      .order(ByteOrder.LITTLE_ENDIAN)
                  : typeMessage);
      Dataspace space =
          Dataspace.parse(
              storage,
              sharedSpace
                  ? ObjectHeader.resolveShared(storage, ObjectHeader.DATASPACE, spaceMessage)
                      .duplicate()
                      .order(ByteOrder.LITTLE_ENDIAN)
                  : spaceMessage);
      Object value = value(type, space, message);
      if (value != null) {
        attributes.put(name, value);
      }
    } catch (RuntimeException e) {
      // Matters only where the attribute changes values: Packing then refuses the variable.
      attributes.put(name, new Packing.Unreadable(UnreadableException.reason(e)));
    }
  }

  private static ByteBuffer part(ByteBuffer message, int bytes, int version) {
    ByteBuffer part = message.slice(message.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
    int padded = version == 1 ? bytes + 7 & ~7 : bytes;
    message.position(Math.min(message.limit(), message.position() + padded));
    return part;
  }

  private @Nullable Object value(Datatype type, Dataspace space, ByteBuffer data) {
    long count = space.size();
    if (count == 0 || space.isNull()) {
      return type.kind() == Kind.TEXT || type.kind() == Kind.VARIABLE_TEXT ? "" : null;
    }
    if (count > data.remaining() / type.size()) {
      throw new UnreadableException("is damaged: it is shorter than its shape");
    }
    return switch (type.kind()) {
      case NUMBER -> numbers(type, (int) count, data);
      case TEXT -> texts((int) count, i -> text(slice(data, i, type.size())));
      case VARIABLE_TEXT -> texts((int) count, i -> text(heap.get(slice(data, i, type.size()), 1)));
      case REFERENCE -> references((int) count, i -> slice(data, i, type.size()));
      case VARIABLE_SEQUENCE -> sequences(type, (int) count, data);
      case OTHER -> null;
    };
  }

  private static ByteBuffer slice(ByteBuffer data, int index, int size) {
    return data.slice(data.position() + index * size, size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static Object numbers(Datatype type, int count, ByteBuffer data) {
    NumberFormat format = java.util.Objects.requireNonNull(type.number());
    long[] integers = new long[count];
    boolean exact = format.floating() == null;
    for (int i = 0; i < count && exact; i++) {
      integers[i] = format.integer(data, data.position() + i * type.size());
      exact = format.signed() || integers[i] >= 0;
    }
    if (exact) {
      return integers;
    }
    byte[] bytes = new byte[count * type.size()];
    data.get(data.position(), bytes);
    double[] numbers = new double[count];
    format.decode(bytes, 0, numbers, 0, count);
    return numbers;
  }

  private @Nullable Object sequences(Datatype type, int count, ByteBuffer data) {
    Datatype base = java.util.Objects.requireNonNull(type.base());
    if (base.kind() == Kind.REFERENCE) {
      return references(count, i -> heap.get(slice(data, i, type.size()), base.size()));
    }
    if (base.kind() == Kind.NUMBER && count == 1) {
      ByteBuffer values = heap.get(slice(data, 0, type.size()), base.size());
      return numbers(base, values.remaining() / base.size(), values);
    }
    return null;
  }

  private static String texts(int count, java.util.function.IntFunction<String> element) {
    StringJoiner texts = new StringJoiner(", ");
    for (int i = 0; i < count && texts.length() < MOST_TEXT; i++) {
      texts.add(element.apply(i));
    }
    return texts.toString();
  }

  private References references(int count, java.util.function.IntFunction<ByteBuffer> element) {
    List<Long> addresses = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ByteBuffer bytes = element.apply(i);
      addresses.add(
          bytes.remaining() < storage.offsetBytes ? Storage.UNDEFINED : storage.offset(bytes));
    }
    return new References(addresses);
  }

  /** Text up to the first zero. */
  private static String text(ByteBuffer bytes) {
    byte[] all = new byte[bytes.remaining()];
    bytes.get(bytes.position(), all);
    int length = 0;
    while (length < all.length && all[length] != 0) {
      length++;
    }
    return new String(all, 0, length, StandardCharsets.UTF_8);
  }
}
