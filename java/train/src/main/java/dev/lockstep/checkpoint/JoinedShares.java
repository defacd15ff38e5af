package dev.lockstep.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Puts the ranks' files together, in rank order. */
final class JoinedShares {
  /** Bytes of a buffer, at most: Java's have less than 2 GiB. */
  private static final long PIECE = 1 << 30;

  private final List<StoredTensor> whole = new ArrayList<>();
  private final Map<String, List<Part>> parts = new LinkedHashMap<>();
  private final Map<String, List<Slice>> slices = new LinkedHashMap<>();
  private final Map<String, List<StoredTensor>> perRank = new LinkedHashMap<>();

  private record Part(StoredTensor tensor, long from, long total) {}

  private record Slice(StoredTensor tensor, List<Long> shape, TensorSlice slice) {}

  /** Says in a manifest which slice of a tensor a file holds. */
  static void describe(Placement.Sliced sliced, ObjectNode where) {
    sliced.shape().forEach(where.withArray("/shape")::add);
    TensorSlice slice = sliced.slice();
    where.put("outer", slice.outer()).put("length", slice.length()).put("inner", slice.inner());
    where.put("from", slice.from()).put("count", slice.count());
  }

  private static Slice slice(StoredTensor tensor, JsonNode where) {
    List<Long> shape = new ArrayList<>();
    where.path("shape").forEach(length -> shape.add(length.asLong(-1)));
    TensorSlice slice =
        new TensorSlice(
            where.path("outer").asLong(-1),
            where.path("length").asLong(-1),
            where.path("inner").asLong(-1),
            where.path("from").asLong(-1),
            where.path("count").asLong(-1));
    if (slice.elements() != tensor.bytes() / tensor.type().bytes()
        || StoredTensor.byteLength(tensor.name(), tensor.type(), shape)
            != slice.wholeElements() * tensor.type().bytes()) {
      throw new IllegalArgumentException(
          "the slice of tensor '" + tensor.name() + "' is not what the manifest says");
    }
    return new Slice(tensor, shape, slice);
  }

  /**
   * Adds one rank's tensors.
   *
   * @param note what the manifest says of the file
   */
  void add(List<StoredTensor> tensors, JsonNode note) {
    for (StoredTensor tensor : tensors) {
      JsonNode where = note.path("sharded").path(tensor.name());
      JsonNode sliced = note.path("sliced").path(tensor.name());
      if (sliced.isObject()) {
        slices
            .computeIfAbsent(tensor.name(), absent -> new ArrayList<>())
            .add(slice(tensor, sliced));
      } else if (where.isObject()) {
        parts
            .computeIfAbsent(tensor.name(), absent -> new ArrayList<>())
            .add(new Part(tensor, where.path("from").asLong(-1), where.path("total").asLong(-1)));
      } else if (isListed(note.path("per_rank"), tensor.name())) {
        perRank.computeIfAbsent(tensor.name(), absent -> new ArrayList<>()).add(tensor);
      } else {
        whole.add(tensor);
      }
    }
  }

  private static boolean isListed(JsonNode names, String name) {
    for (JsonNode listed : names) {
      if (listed.asText().equals(name)) {
        return true;
      }
    }
    return false;
  }

  Map<String, List<StoredTensor>> perRank() {
    return perRank;
  }

  /**
   * The tensors that exist once.
   *
   * @throws IllegalArgumentException if parts of one overlap or leave a gap
   */
  List<StoredTensor> tensors() {
    List<StoredTensor> all = new ArrayList<>(whole);
    parts.values().forEach(of -> all.add(joined(of)));
    slices.values().forEach(of -> all.add(whole(of)));
    return all;
  }

  private static StoredTensor whole(List<Slice> slices) {
    slices.sort(Comparator.comparingLong(of -> of.slice().from()));
    Slice first = slices.get(0);
    String name = first.tensor().name();
    long covered = 0;
    for (Slice part : slices) {
      TensorSlice slice = part.slice();
      TensorSlice expected =
          new TensorSlice(
              first.slice().outer(),
              first.slice().length(),
              first.slice().inner(),
              covered,
              slice.count());
      if (!slice.equals(expected)
          || !part.shape().equals(first.shape())
          || part.tensor().type() != first.tensor().type()) {
        throw new IllegalArgumentException(
            "the ranks' slices of tensor '" + name + "' overlap, leave a gap or differ");
      }
      covered += slice.count();
    }
    if (covered != first.slice().length()) {
      throw new IllegalArgumentException(
          "the ranks' slices of tensor '" + name + "' do not cover it");
    }
    return new StoredTensor(name, first.tensor().type(), first.shape(), interleaved(slices));
  }

  /** The slices' runs in turn, in new memory. */
  private static List<ByteBuffer> interleaved(List<Slice> slices) {
    Slice first = slices.get(0);
    int bytes = first.tensor().type().bytes();
    long left = first.slice().wholeElements() * bytes;
    List<ByteBuffer> pieces = new ArrayList<>();
    for (; left > 0; left -= pieces.get(pieces.size() - 1).remaining()) {
      pieces.add(
          ByteBuffer.allocateDirect((int) Math.min(left, PIECE)).order(ByteOrder.LITTLE_ENDIAN));
    }
    List<Deque<ByteBuffer>> from = new ArrayList<>();
    slices.forEach(part -> from.add(new ArrayDeque<>(part.tensor().pieces())));
    Deque<ByteBuffer> into = new ArrayDeque<>();
    pieces.forEach(piece -> into.add(piece.duplicate()));
    for (long run = 0; run < first.slice().outer(); run++) {
      for (int part = 0; part < slices.size(); part++) {
        copy(slices.get(part).slice().run() * bytes, from.get(part), into);
      }
    }
    return pieces;
  }

  private static void copy(long bytes, Deque<ByteBuffer> from, Deque<ByteBuffer> into) {
    long left = bytes;
    while (left > 0) {
      ByteBuffer source = from.element();
      ByteBuffer target = into.element();
      int count = (int) Math.min(left, Math.min(source.remaining(), target.remaining()));
      target.put(source.slice(source.position(), count));
      source.position(source.position() + count);
      left -= count;
      if (!source.hasRemaining()) {
        from.remove();
      }
      if (!target.hasRemaining()) {
        into.remove();
      }
    }
  }

  private static StoredTensor joined(List<Part> parts) {
    parts.sort(Comparator.comparingLong(Part::from));
    StoredTensor first = parts.get(0).tensor();
    long covered = 0;
    List<ByteBuffer> pieces = new ArrayList<>();
    for (Part part : parts) {
      if (part.from() != covered || part.tensor().type() != first.type()) {
        throw new IllegalArgumentException(
            "the ranks' parts of tensor '" + first.name() + "' overlap, leave a gap or differ");
      }
      covered += part.tensor().bytes() / first.type().bytes();
      pieces.addAll(part.tensor().pieces());
    }
    if (covered != parts.get(0).total()) {
      throw new IllegalArgumentException(
          "the ranks' parts of tensor '" + first.name() + "' do not cover it");
    }
    return new StoredTensor(first.name(), first.type(), List.of(covered), pieces);
  }
}
