package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Tells whoever asked for it that works of one communicator have ended, on a thread that the first
 * question starts. Thread-safe.
 */
final class Completions {
  private static final double PATIENCE_SECONDS = 60;

  private final NativeCommunicator communicator;
  private final Map<Long, NativeWork> awaited = new ConcurrentHashMap<>();
  private boolean started;

  Completions(NativeCommunicator communicator) {
    this.communicator = communicator;
  }

  void await(NativeWork work, NativeWorkKind kind) {
    awaited.put(work.handle(), work);
    try {
      kind.announce(communicator.handle(), work.handle());
    } catch (RuntimeException e) {
      // The group is closed, and so the work ended.
      return;
    } finally {
      start();
    }
  }

  private synchronized void start() {
    if (started) {
      return;
    }
    started = true;
    Thread thread = new Thread(this::tell, "lockstep-completions-" + communicator.rank());
    thread.setDaemon(true);
    thread.start();
  }

  private void tell() {
    while (true) {
      long handle;
      try {
        handle = Native.take_completion(communicator.handle(), PATIENCE_SECONDS);
      } catch (RuntimeException e) {
        break; // closed
      }
      NativeWork work = handle == 0 ? null : awaited.remove(handle);
      if (work != null) {
        work.settleIfDone();
      }
    }
    synchronized (this) {
      started = false;
    }
    tellEnded();
  }

  /** Tells of all that have ended: after a close, of all that there were. */
  void tellEnded() {
    awaited.values().removeIf(NativeWork::settleIfDone);
  }
}
