package dev.lockstep.train.memory;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Span;
import dev.lockstep.train.memory.FlatLayout.Group;
import dev.lockstep.train.memory.FlatLayout.Slot;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Tensor;

/**
 * The memory behind a {@link FlatLayout}. In front of each buffer lie 64 bytes more, its header;
 * the first group's holds {@link ControlWords}.
 *
 * <p>Not thread-safe; closed after all views are out of use.
 */
public final class FlatBuffers implements AutoCloseable {
  private final FlatLayout layout;
  private final List<NativeMemory> memories = new ArrayList<>();

  /**
   * @param allocate gives memory of so many bytes, for example {@link Communicator#allocate}
   */
  public FlatBuffers(FlatLayout layout, LongFunction<NativeMemory> allocate) {
    this.layout = layout;
    try {
      for (Group group : layout.groups()) {
        memories.add(allocate.apply(FlatLayout.ALIGNMENT + group.bytes()));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** So many of one layout: all, or none when memory runs out on the way. */
  public static List<FlatBuffers> several(
      int count, FlatLayout layout, LongFunction<NativeMemory> allocate) {
    List<FlatBuffers> made = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        made.add(new FlatBuffers(layout, allocate));
      }
    } catch (RuntimeException e) {
      made.forEach(FlatBuffers::close);
      throw e;
    }
    return made;
  }

  public FlatLayout layout() {
    return layout;
  }

  /** The first tensor's address. */
  public long address(int group) {
    return memories.get(group).address() + FlatLayout.ALIGNMENT;
  }

  /** All elements of a group, without its header. */
  public Span span(int group) {
    return span(group, 0, layout.groups().get(group).count());
  }

  /** Elements of a group from one on; negative numbers reach into the header. */
  public Span span(int group, long from, long count) {
    Group shape = layout.groups().get(group);
    int unit = shape.elementBytes() / shape.dataType().bytes();
    return memories
        .get(group)
        .span(FlatLayout.ALIGNMENT + from * shape.elementBytes(), count * unit, shape.dataType());
  }

  /** A tensor's own view; belongs to the current scope. */
  public Tensor view(Slot slot) {
    return NativeView.tensor(address(slot), layout.groups().get(slot.group()).type(), slot.shape());
  }

  /** All of a group as one tensor; belongs to the current scope. */
  public Tensor whole(int group) {
    Group shape = layout.groups().get(group);
    return NativeView.tensor(address(group), shape.type(), shape.count());
  }

  /** The header's address, {@link FlatLayout#ALIGNMENT} bytes before the first tensor. */
  long headerAddress(int group) {
    return memories.get(group).address();
  }

  public long address(Slot slot) {
    return address(slot.group()) + slot.offset() * elementBytes(slot);
  }

  public int elementBytes(Slot slot) {
    return layout.groups().get(slot.group()).elementBytes();
  }

  /** Sets everything to zero, headers included. */
  public void zero() {
    for (NativeMemory memory : memories) {
      NativeView.zero(memory.address(), memory.bytes());
    }
  }

  /** Takes the elements of another of the same layout; headers stay as they are. */
  public void copyFrom(FlatBuffers other) {
    for (int i = 0; i < memories.size(); i++) {
      NativeView.copy(address(i), other.address(i), layout.groups().get(i).bytes());
    }
  }

  /** Copies rank 0's elements to all. */
  public void broadcast(Communicator communicator) {
    broadcast(communicator, 0);
  }

  /** Copies one rank's elements to all. */
  public void broadcast(Communicator communicator, int from) {
    for (int group = 0; group < memories.size(); group++) {
      communicator.broadcast(span(group), from);
    }
  }

  @Override
  public void close() {
    memories.forEach(NativeMemory::close);
  }
}
