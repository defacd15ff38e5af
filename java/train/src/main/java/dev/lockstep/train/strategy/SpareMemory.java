package dev.lockstep.train.strategy;

import dev.lockstep.comm.NativeMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;

/**
 * Memory that is taken and given back often. What has been given back is kept for who takes as much
 * later, while all together is not more than a limit. One thread.
 */
final class SpareMemory implements AutoCloseable {
  private final LongFunction<NativeMemory> allocate;
  private final long limit;
  private final List<NativeMemory> spare = new ArrayList<>();
  private long bytes;
  private long peakBytes;

  /**
   * Takes no memory yet.
   *
   * @param allocate gives memory of so many bytes
   * @param limit bytes beyond which nothing is kept
   */
  SpareMemory(LongFunction<NativeMemory> allocate, long limit) {
    this.allocate = allocate;
    this.limit = limit;
  }

  /** Memory of so many bytes, with anything in it; whoever takes it gives it back. */
  NativeMemory take(long size) {
    for (NativeMemory one : spare) {
      if (one.bytes() == size) {
        spare.remove(one);
        return one;
      }
    }
    while (!spare.isEmpty() && bytes + size > limit) {
      free(spare.remove(0));
    }
    NativeMemory made = allocate.apply(size);
    bytes += size;
    peakBytes = Math.max(peakBytes, bytes);
    return made;
  }

  void giveBack(NativeMemory memory) {
    spare.add(memory);
  }

  private void free(NativeMemory memory) {
    bytes -= memory.bytes();
    memory.close();
  }

  /** The most bytes that there have been at once, spare ones included. */
  long peakBytes() {
    return peakBytes;
  }

  /** Frees what is spare. */
  @Override
  public void close() {
    spare.forEach(this::free);
    spare.clear();
  }
}
