package dev.lockstep.comm;

/**
 * Who may free the memory of a {@link Span}, and is kept from doing so while an operation uses it.
 * {@link NativeMemory} is one; {@code dev.lockstep.torch.TensorSpans} has another for tensors.
 * Thread-safe.
 */
public interface MemoryOwner {
  /**
   * Keeps the memory in place, whatever its owner does, until the returned action has run.
   *
   * @throws IllegalStateException when the owner has closed it already
   */
  Runnable hold();

  /**
   * Begins one blocking operation; {@link #exit} ends it. Makes nothing that would have to be
   * collected.
   *
   * @throws IllegalStateException when the owner has closed it already
   */
  void enter();

  /** Ends what {@link #enter} has begun. */
  void exit();
}
