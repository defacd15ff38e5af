package dev.lockstep.gloo;

import dev.lockstep.comm.CollectiveMismatchException;
import dev.lockstep.comm.CollectiveTimeoutException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.CommunicationInterruptedException;
import dev.lockstep.comm.CommunicatorClosedException;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.comm.RendezvousException;
import dev.lockstep.jni.Native;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Why a group ended, as far as Gloo tells.
 *
 * @param code one of the {@code Native} error codes
 * @param rank the rank at fault, or {@link CommunicationException#NO_RANK}
 */
record GlooFailure(int code, int rank, String text) {

  static GlooFailure of(CommunicationException failure) {
    int code = Native.SYSTEM;
    if (failure instanceof PeerFailedException) {
      code = Native.PEER_FAILED;
    } else if (failure instanceof CollectiveTimeoutException) {
      code = Native.TIMEOUT;
    } else if (failure instanceof CollectiveMismatchException) {
      code = Native.MISMATCH;
    } else if (failure instanceof CommunicatorClosedException) {
      code = Native.CLOSED;
    } else if (failure instanceof CommunicationInterruptedException) {
      code = Native.INTERRUPTED;
    }
    return new GlooFailure(code, failure.rank(), String.valueOf(failure.getMessage()));
  }

  static boolean isTimeout(RuntimeException thrown) {
    String text = lower(thrown);
    return text.contains("timed out") || text.contains("timeout");
  }

  /** Whether a connection was cut, by the end of the peer's process or by its leaving. */
  static boolean isCut(RuntimeException thrown) {
    String text = lower(thrown);
    return text.contains("connection closed by peer")
        || text.contains("connection reset by peer")
        || text.contains("broken pipe")
        || text.contains("socket closed");
  }

  private static String lower(RuntimeException thrown) {
    return String.valueOf(thrown.getMessage()).toLowerCase(Locale.ROOT);
  }

  CommunicationException exception(@Nullable Throwable cause) {
    return switch (code) {
      case Native.CLOSED -> new CommunicatorClosedException(text, rank, cause);
      case Native.PEER_FAILED -> new PeerFailedException(text, rank, cause);
      case Native.TIMEOUT -> new CollectiveTimeoutException(text, rank, cause);
      case Native.MISMATCH -> new CollectiveMismatchException(text, rank, cause);
      case Native.RENDEZVOUS -> new RendezvousException(text, rank, cause);
      case Native.INTERRUPTED -> new CommunicationInterruptedException(text, cause);
      default -> new CommunicationException(text, rank, cause);
    };
  }

  /** What a rank that leaves after this failure tells its peers. */
  GlooHeader goodbye() {
    return GlooHeader.goodbye(code, rank);
  }

  /** What {@code goodbye} of {@code peer} means for {@code rank}, whose operation it ended. */
  static GlooFailure of(GlooHeader goodbye, int peer, int rank, String operation) {
    int fault = (int) goodbye.root();
    String left =
        "Rank " + peer + " has left the group during the " + operation + " of rank " + rank;
    return switch ((int) goodbye.type()) {
      case Native.PEER_FAILED ->
          new GlooFailure(Native.PEER_FAILED, fault, left + ", because rank " + fault + " failed.");
      case Native.TIMEOUT ->
          fault == rank || fault < 0
              ? new GlooFailure(Native.PEER_FAILED, peer, left + " after waiting in vain.")
              : new GlooFailure(
                  Native.TIMEOUT, fault, left + " after waiting for rank " + fault + " in vain.");
      case Native.MISMATCH ->
          new GlooFailure(
              Native.MISMATCH, peer, left + ", because the ranks asked for different operations.");
      default -> new GlooFailure(Native.PEER_FAILED, peer, left + ".");
    };
  }
}
