package dev.lockstep.data.hdf5;

import dev.lockstep.data.ArrayFile.Unreadable;
import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Walks a file's groups: every data set under every name that leads to it, except by going round in
 * a circle. What cannot be read is noted with its reason and harms nothing else.
 */
final class ObjectTree {
  private static final int MAX_OBJECTS = 100_000;
  private static final int MAX_DEPTH = 200;
  private static final int SOFT_LINK = 1;
  private static final int EXTERNAL_LINK = 64;
  private static final int MAX_SOFT_LINKS = 16;

  private final Storage storage;
  private final Map<String, ObjectHeader> datasets = new LinkedHashMap<>();
  private final List<Unreadable> unreadable = new ArrayList<>();
  private final Deque<Long> ancestors = new ArrayDeque<>();

  /** By address, so that an object of many hard links is held once. */
  private final Map<Long, ObjectHeader> headers = new HashMap<>();

  private int objects;

  /**
   * A link: to an address, or, if that is undefined, to the path {@code target}.
   *
   * @param created its place in the order of creation; 0 where that is not kept
   */
  private record Link(String name, long created, long address, String target, boolean isExternal) {}

  private ObjectTree(Storage storage) {
    this.storage = storage;
  }

  static ObjectTree walk(Storage storage) {
    ObjectTree tree = new ObjectTree(storage);
    tree.walkGroup(ObjectHeader.read(storage, storage.root), "");
    return tree;
  }

  /** The data sets by their paths without the leading slash. */
  Map<String, ObjectHeader> datasets() {
    return datasets;
  }

  List<Unreadable> unreadable() {
    return unreadable;
  }

  private void walkGroup(ObjectHeader group, String prefix) {
    ancestors.push(group.address());
    for (Link link : links(group)) {
      String name = prefix + link.name;
      if (++objects > MAX_OBJECTS) {
        throw new UnreadableException(
            "has more than " + MAX_OBJECTS + " links; its groups may be a maze");
      }
      try {
        if (link.isExternal) {
          throw new UnreadableException(
              "is a link into another file, " + link.target + "; read that one");
        }
        long address =
            link.address == Storage.UNDEFINED ? follow(group, link.target, 0) : link.address;
        visit(address, name);
      } catch (RuntimeException e) {
        unreadable.add(new Unreadable(name, "link", List.of(), UnreadableException.reason(e)));
      }
    }
    ancestors.pop();
  }

  private void visit(long address, String name) {
    if (ancestors.contains(address)) {
      return;
    }
    ObjectHeader header = headers.computeIfAbsent(address, at -> ObjectHeader.read(storage, at));
    if (header.has(ObjectHeader.LAYOUT) || header.has(ObjectHeader.DATASPACE)) {
      datasets.put(name, header);
    } else if (ancestors.size() < MAX_DEPTH && isGroup(header)) {
      walkGroup(header, name + "/");
    }
  }

  private static boolean isGroup(ObjectHeader header) {
    return header.has(ObjectHeader.SYMBOL_TABLE)
        || header.has(ObjectHeader.LINK_INFO)
        || header.has(ObjectHeader.LINK);
  }

  /** The address that a path leads to, from a group or, with a leading slash, from the root. */
  private long follow(ObjectHeader from, String path, int hops) {
    if (hops == MAX_SOFT_LINKS) {
      throw new UnreadableException("is a soft link that leads round in a circle");
    }
    ObjectHeader at = path.startsWith("/") ? ObjectHeader.read(storage, storage.root) : from;
    for (String part : path.split("/")) {
      if (!part.isEmpty() && !part.equals(".")) {
        ObjectHeader group = at;
        Link next =
            links(group).stream()
                .filter(link -> link.name.equals(part) && !link.isExternal)
                .findFirst()
                .orElseThrow(
                    () ->
                        new UnreadableException(
                            "is a soft link to " + path + ", which does not exist"));
        long address =
            next.address == Storage.UNDEFINED ? follow(group, next.target, hops + 1) : next.address;
        at = ObjectHeader.read(storage, address);
      }
    }
    return at.address();
  }

  private List<Link> links(ObjectHeader group) {
    List<Link> links = new ArrayList<>();
    ByteBuffer table = group.find(ObjectHeader.SYMBOL_TABLE);
    if (table != null) {
      addSymbols(storage.offset(table), storage.offset(table), links);
    }
    for (ByteBuffer message : group.all(ObjectHeader.LINK)) {
      links.add(parseLink(message));
    }
    ByteBuffer info = group.find(ObjectHeader.LINK_INFO);
    if (info != null) {
      info.get();
      boolean ordered = (info.get() & 1) != 0;
      info.position(info.position() + (ordered ? 8 : 0));
      long heap = storage.offset(info);
      long index = storage.offset(info);
      if (heap != Storage.UNDEFINED && index != Storage.UNDEFINED) {
        FractalHeap objects = FractalHeap.open(storage, heap);
        BTreeV2.open(storage, index)
            .visit(record -> links.add(parseLink(objects.get(record.slice(4, 7)))));
        // The index sorts by hash; people know the order of creation, where it is kept, or of
        // names.
        links.sort(Comparator.comparingLong(Link::created).thenComparing(Link::name));
      }
    }
    return links;
  }

  /** The old form (specification, III.B and III.C): names in a heap, nodes under a B-tree. */
  private void addSymbols(long tree, long heap, List<Link> links) {
    int o = storage.offsetBytes;
    int l = storage.lengthBytes;
    ByteBuffer head = storage.read(heap, 8 + 2L * l + o, "HEAP").position(8);
    long bytes = storage.length(head);
    storage.length(head);
    ByteBuffer names = storage.read(storage.offset(head), bytes);
    BTreeV1.visit(
        storage,
        tree,
        BTreeV1.GROUP,
        l,
        (key, node) -> {
          int count = Short.toUnsignedInt(storage.read(node, 8, "SNOD").getShort(6));
          int entryBytes = 2 * o + 24;
          ByteBuffer entries = storage.read(node + 8, (long) count * entryBytes);
          for (int i = 0; i < count; i++) {
            entries.position(i * entryBytes);
            String name = textAt(names, storage.offset(entries));
            long address = storage.offset(entries);
            boolean soft = entries.getInt() == 2;
            int target = entries.getInt(entries.position() + 4);
            links.add(
                soft
                    ? new Link(name, 0, Storage.UNDEFINED, textAt(names, target), false)
                    : new Link(name, 0, address, "", false));
          }
        });
  }

  private static String textAt(ByteBuffer names, long at) {
    int start = Math.toIntExact(at);
    int end = start;
    while (names.get(end) != 0) {
      end++;
    }
    byte[] bytes = new byte[end - start];
    names.get(start, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** A link message (specification, IV.A.2.g). */
  private Link parseLink(ByteBuffer bytes) {
    bytes.order(ByteOrder.LITTLE_ENDIAN);
    bytes.get();
    int flags = bytes.get();
    int type = (flags & 8) != 0 ? Byte.toUnsignedInt(bytes.get()) : 0;
    long created = (flags & 4) != 0 ? bytes.getLong() : 0;
    bytes.position(bytes.position() + ((flags & 16) != 0 ? 1 : 0));
    String name = text(bytes, 1 << (flags & 3));
    return switch (type) {
      case 0 -> new Link(name, created, storage.offset(bytes), "", false);
      case SOFT_LINK -> new Link(name, created, Storage.UNDEFINED, text(bytes, 2), false);
      case EXTERNAL_LINK -> {
        String target = text(bytes, 2).substring(1).replaceFirst("\0", ":").replace("\0", "");
        yield new Link(name, created, Storage.UNDEFINED, target, true);
      }
      default -> new Link(name, created, Storage.UNDEFINED, "of the unknown type " + type, true);
    };
  }

  /** Text after its length, which takes {@code lengthBytes} bytes. */
  private static String text(ByteBuffer bytes, int lengthBytes) {
    long length = Storage.unsigned(bytes, lengthBytes);
    if (length < 0 || length > bytes.remaining()) {
      throw new UnreadableException("is damaged: a name has " + length + " bytes");
    }
    byte[] text = new byte[(int) length];
    bytes.get(text);
    return new String(text, StandardCharsets.UTF_8);
  }
}
