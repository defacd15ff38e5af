package dev.lockstep.comm;

import dev.lockstep.jni.InterruptionCheck;
import dev.lockstep.jni.Native;

/**
 * Lets waits inside native code end when {@link Thread#interrupt} is called on their thread. Being
 * a pointer it must not be touched before {@code NativeCache.initializePointers()}.
 */
final class NativeInterruption extends InterruptionCheck {
  /** Kept for good: native code calls it. */
  private static final NativeInterruption CHECK = new NativeInterruption();

  static {
    // Where the first group is opened within a caller's PointerScope, which would free it at its
    // end.
    CHECK.retainReference();
    Native.set_interruption_check(CHECK);
  }

  private NativeInterruption() {}

  /** Makes native code ask from now on. */
  static void heed() {
    // Loading this class has done it.
  }

  @Override
  public boolean call() {
    return Thread.currentThread().isInterrupted();
  }
}
