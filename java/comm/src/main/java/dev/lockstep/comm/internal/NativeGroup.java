package dev.lockstep.comm.internal;

import dev.lockstep.comm.BackendUnavailableException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import java.util.function.LongFunction;

/** A communicator over which native code of other packages of Lockstep can run. */
public interface NativeGroup {
  /**
   * Runs native code over this group; collective where the code is. What it throws becomes a typed
   * exception here.
   *
   * @param operation gets the group's native handle, which it must not close
   */
  <T> T runNative(LongFunction<T> operation);

  /**
   * The native side of {@code group}.
   *
   * @throws BackendUnavailableException where it has none (Gloo)
   */
  static NativeGroup of(Communicator group) {
    if (group instanceof NativeGroup nativeGroup) {
      return nativeGroup;
    }
    throw new BackendUnavailableException(
        "Native code does not run over the backend " + group.backend() + "; use auto, tcp or mpi.",
        CommunicationException.NO_RANK,
        null);
  }
}
