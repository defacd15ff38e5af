package dev.lockstep.train.memory;

import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import java.util.ArrayList;
import java.util.List;

/**
 * Where this rank's parts of tensors lie, of which each rank has a part: those of an element type
 * end to end, shard by shard.
 *
 * @param whole the layout of the tensors where one rank has them
 * @param shards in which all of them lie, each tensor in one
 */
public record SlicedLayout(FlatLayout whole, List<Shard> shards) {
  /**
   * This rank's part of a tensor.
   *
   * @param tensor its index in {@link FlatLayout#slots}
   * @param place where the part lies in memory of {@link #own}; may be of no elements
   * @param from the part's first element, counted from the tensor's first
   */
  public record Part(int tensor, ParameterRange place, long from) {}

  public SlicedLayout {
    shards = List.copyOf(shards);
  }

  /** The layout of memory for this rank's parts. It names no tensors. */
  public FlatLayout own() {
    long[] counts = new long[whole.groups().size()];
    for (Shard shard : shards) {
      counts[shard.own().group()] += shard.own().count();
    }
    List<Group> groups = new ArrayList<>();
    for (int g = 0; g < counts.length; g++) {
      Group group = whole.groups().get(g);
      groups.add(new Group(group.type(), group.elementBytes(), counts[g]));
    }
    return new FlatLayout(List.of(), groups);
  }

  /** For each shard, the place of this rank's first element of it. */
  public List<Long> places() {
    List<Long> places = new ArrayList<>();
    long[] filled = new long[whole.groups().size()];
    for (Shard shard : shards) {
      places.add(filled[shard.own().group()]);
      filled[shard.own().group()] += shard.own().count();
    }
    return places;
  }

  /** This rank's part of each tensor. */
  public List<Part> parts() {
    List<Long> places = places();
    List<Part> parts = new ArrayList<>();
    for (int tensor = 0; tensor < whole.slots().size(); tensor++) {
      Slot slot = whole.slots().get(tensor);
      int shard = 0;
      while (!shards.get(shard).holds(slot.group(), slot.offset())) {
        shard++;
      }
      parts.add(part(tensor, slot, shards.get(shard).own(), places.get(shard)));
    }
    return parts;
  }

  private static Part part(int tensor, Slot slot, ParameterRange own, long place) {
    long from = Math.max(slot.offset(), own.from());
    long end = Math.min(slot.offset() + slot.count(), own.from() + own.count());
    if (from < end) {
      ParameterRange range =
          new ParameterRange(slot.group(), place + from - own.from(), end - from);
      return new Part(tensor, range, from - slot.offset());
    }
    // Before what the others have of it, or behind.
    return new Part(
        tensor,
        new ParameterRange(slot.group(), 0, 0),
        own.from() <= slot.offset() ? 0 : slot.count());
  }
}
