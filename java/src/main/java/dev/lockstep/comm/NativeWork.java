package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A native work handle, which is waited for exactly once, by its user or, if nobody does, by {@link
 * StartedWorks}; until then it holds the memory of its request.
 */
final class NativeWork implements Work {
  private final NativeCommunicator communicator;
  private final Runnable release;
  private final ReentrantLock turn = new ReentrantLock();
  private long handle;
  private int sender;
  private @Nullable RuntimeException failure;

  /**
   * @param release what gives back the request's memory
   */
  NativeWork(long handle, Runnable release, NativeCommunicator communicator) {
    this.handle = handle;
    this.release = release;
    this.communicator = communicator;
  }

  @Override
  public boolean isDone() {
    if (!turn.tryLock()) {
      return false; // somebody waits for it
    }
    try {
      return handle == 0 || Native.work_is_done(handle);
    } finally {
      turn.unlock();
    }
  }

  @Override
  public int await() {
    turn.lock();
    try {
      settle();
    } finally {
      turn.unlock();
    }
    communicator.works().remove(this);
    if (failure != null) {
      throw failure;
    }
    return sender;
  }

  /** Gives back what it holds if it has ended. Does not block. @return whether it has ended */
  boolean settleIfDone() {
    if (!turn.tryLock()) {
      return false;
    }
    try {
      boolean done = handle == 0 || Native.work_is_done(handle);
      if (done) {
        settle();
      }
      return done;
    } finally {
      turn.unlock();
    }
  }

  private void settle() {
    if (handle == 0) {
      return;
    }
    try {
      sender = Native.wait_work(handle);
    } catch (RuntimeException e) {
      failure = communicator.failed(e);
    } finally {
      handle = 0;
      release.run();
    }
  }
}
