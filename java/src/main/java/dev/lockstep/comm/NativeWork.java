package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * A native work handle, which is waited for exactly once, and the request whose memory it keeps
 * reachable.
 */
final class NativeWork implements Work {
  private final Request request;
  private final NativeCommunicator communicator;
  private long handle;
  private int sender;
  private @Nullable RuntimeException failure;

  NativeWork(long handle, Request request, NativeCommunicator communicator) {
    this.handle = handle;
    this.communicator = communicator;
    this.request = request;
  }

  @Override
  public synchronized boolean isDone() {
    return handle == 0 || Native.work_is_done(handle);
  }

  @Override
  public synchronized int await() {
    if (handle != 0) {
      try {
        sender = Native.wait_work(handle);
      } catch (RuntimeException e) {
        failure = communicator.failed(e);
      } finally {
        handle = 0;
        Reference.reachabilityFence(request);
      }
    }
    if (failure != null) {
      throw failure;
    }
    return sender;
  }
}
