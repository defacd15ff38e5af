package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Span;
import dev.lockstep.train.FlatLayout.Group;
import dev.lockstep.train.FlatLayout.Slot;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import org.bytedeco.pytorch.Tensor;

/**
 * The memory behind a {@link FlatLayout}. In front of each buffer lie 64 bytes more, its header: a
 * flag in it travels with the first tensors without a message of its own.
 *
 * <p>Not thread-safe; closed after all views are out of use.
 */
final class FlatBuffers implements AutoCloseable {
  private final FlatLayout layout;
  private final List<NativeMemory> memories = new ArrayList<>();

  /**
   * @param allocate gives memory of so many bytes: {@link Communicator#allocate}, {@link
   *     Communicator#allocateShared} or {@link NativeMemory#allocate}
   */
  FlatBuffers(FlatLayout layout, LongFunction<NativeMemory> allocate) {
    this.layout = layout;
    for (Group group : layout.groups()) {
      memories.add(allocate.apply(FlatLayout.ALIGNMENT + group.bytes()));
    }
  }

  FlatLayout layout() {
    return layout;
  }

  /** The first tensor's address. */
  long address(int group) {
    return memories.get(group).address() + FlatLayout.ALIGNMENT;
  }

  /** All elements of a group, without its header. */
  Span span(int group) {
    return span(group, 0, layout.groups().get(group).count());
  }

  /** Elements of a group from one on; negative numbers reach into the header. */
  Span span(int group, long from, long count) {
    Group shape = layout.groups().get(group);
    int unit = shape.elementBytes() / shape.dataType().bytes();
    return memories
        .get(group)
        .span(FlatLayout.ALIGNMENT + from * shape.elementBytes(), count * unit, shape.dataType());
  }

  /** A tensor's own view; belongs to the current scope. */
  Tensor view(Slot slot) {
    return NativeView.tensor(address(slot), layout.groups().get(slot.group()).type(), slot.shape());
  }

  /** All of a group as one tensor; belongs to the current scope. */
  Tensor whole(int group) {
    Group shape = layout.groups().get(group);
    return NativeView.tensor(address(group), shape.type(), shape.count());
  }

  /** A tensor's bytes; at most 2 GiB. */
  ByteBuffer bytes(Slot slot) {
    return NativeView.bytes(address(slot), slot.count() * elementBytes(slot));
  }

  long address(Slot slot) {
    return address(slot.group()) + slot.offset() * elementBytes(slot);
  }

  int elementBytes(Slot slot) {
    return layout.groups().get(slot.group()).elementBytes();
  }

  /** Sets everything to zero, headers included. */
  void zero() {
    for (NativeMemory memory : memories) {
      NativeView.zero(memory.address(), memory.bytes());
    }
  }

  /** Raises a flag in the first group's header, or lowers it. */
  void setFlag(boolean raised) {
    ByteBuffer header = NativeView.bytes(memories.get(0).address(), Double.BYTES);
    switch (layout.groups().get(0).dataType()) {
      case F32 -> header.putFloat(0, raised ? 1 : 0);
      case F64 -> header.putDouble(0, raised ? 1 : 0);
      case F16 -> header.putShort(0, (short) (raised ? 0x3C00 : 0));
      case BF16 -> header.putShort(0, (short) (raised ? 0x3F80 : 0));
      default -> throw new IllegalStateException("Flags travel with floating-point numbers.");
    }
  }

  /**
   * Whether the flag is up, after a sum or an average over ranks: whether it was up on any of them.
   */
  boolean flag() {
    return NativeView.bytes(memories.get(0).address(), Double.BYTES).getLong(0) != 0;
  }

  /** Copies rank 0's elements to all. */
  void broadcast(Communicator communicator) {
    for (int group = 0; group < memories.size(); group++) {
      communicator.broadcast(span(group), 0);
    }
  }

  @Override
  public void close() {
    memories.forEach(NativeMemory::close);
  }
}
