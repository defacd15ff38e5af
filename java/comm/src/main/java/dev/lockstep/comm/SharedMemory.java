package dev.lockstep.comm;

import java.util.function.LongConsumer;

/**
 * Memory that all ranks of a group use, one and the same, as ranks of one host can; see {@link
 * Communicator#sharedMemory}. Its methods are collective. As long-lived as its group, and as
 * thread-safe.
 */
public final class SharedMemory {
  private final NativeCommunicator group;

  SharedMemory(NativeCommunicator group) {
    this.group = group;
  }

  /**
   * Zeroed memory of all ranks; collective. Every rank closes its own; the memory goes when all
   * have, or have ended.
   *
   * @throws CommunicationException when /dev/shm has too little left; the message says how much is
   *     needed
   */
  public NativeMemory allocate(long bytes) {
    return NativeMemory.shared(group.handle(), bytes);
  }

  /**
   * Runs a native operation on such memory, for example a reduction that updates parameters in the
   * same pass; collective where the operation is. What it throws becomes a typed exception here.
   *
   * @param operation gets the group's native handle, which it must not close
   */
  public void run(LongConsumer operation) {
    group.runNative(
        handle -> {
          operation.accept(handle);
          return null;
        });
  }
}
