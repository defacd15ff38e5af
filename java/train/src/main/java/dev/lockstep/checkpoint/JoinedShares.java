package dev.lockstep.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Puts the ranks' files together, in rank order. */
final class JoinedShares {
  private final List<StoredTensor> whole = new ArrayList<>();
  private final Map<String, List<Part>> parts = new LinkedHashMap<>();
  private final Map<String, List<StoredTensor>> perRank = new LinkedHashMap<>();

  private record Part(StoredTensor tensor, long from, long total) {}

  /**
   * Adds one rank's tensors.
   *
   * @param note what the manifest says of the file
   */
  void add(List<StoredTensor> tensors, JsonNode note) {
    for (StoredTensor tensor : tensors) {
      JsonNode where = note.path("sharded").path(tensor.name());
      if (where.isObject()) {
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
    return all;
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
