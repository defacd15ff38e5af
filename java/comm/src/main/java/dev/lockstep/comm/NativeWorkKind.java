package dev.lockstep.comm;

import dev.lockstep.jni.Native;

/** What a native work handle stands for. */
enum NativeWorkKind {
  COLLECTIVE {
    @Override
    boolean isDone(long handle) {
      return Native.work_is_done(handle);
    }

    @Override
    boolean await(long handle, double seconds) {
      return Native.await_work(handle, seconds);
    }

    @Override
    NativeWork.Outcome take(long handle) {
      return new NativeWork.Outcome(Native.wait_work(handle), 0);
    }

    @Override
    boolean cancel(long handle) {
      return false;
    }

    @Override
    void announce(long communicator, long handle) {
      Native.announce_work(communicator, handle);
    }
  },
  MESSAGE {
    @Override
    boolean isDone(long handle) {
      return Native.message_is_done(handle);
    }

    @Override
    boolean await(long handle, double seconds) {
      try {
        return Native.await_message(handle, seconds);
      } catch (RuntimeException e) {
        // How it ended is for take() to tell.
        return Native.message_is_done(handle);
      }
    }

    @Override
    NativeWork.Outcome take(long handle) {
      try {
        Native.await_message(handle, 0);
        return new NativeWork.Outcome(Native.message_source(handle), Native.message_count(handle));
      } finally {
        Native.release_message(handle);
      }
    }

    @Override
    boolean cancel(long handle) {
      return Native.cancel_message(handle);
    }

    @Override
    void announce(long communicator, long handle) {
      Native.announce_message(communicator, handle);
    }
  };

  abstract boolean isDone(long handle);

  /** Waits for its end. @return false when {@code seconds} have passed */
  abstract boolean await(long handle, double seconds);

  /** How it ended, once it has; throws its error. The handle is of no more use. */
  abstract NativeWork.Outcome take(long handle);

  abstract boolean cancel(long handle);

  /** Makes {@code Native.take_completion} give the handle once it has ended. */
  abstract void announce(long communicator, long handle);
}
