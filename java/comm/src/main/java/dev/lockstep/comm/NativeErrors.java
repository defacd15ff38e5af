package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The one place where what native code throws becomes a typed exception. */
final class NativeErrors {
  /** As {@code lockstep::Error::encoded()} writes it. */
  private static final Pattern ENCODED =
      Pattern.compile("lockstep:(\\d+):(-?\\d+):(.*)", Pattern.DOTALL);

  private NativeErrors() {}

  static RuntimeException translate(RuntimeException thrown) {
    String message = String.valueOf(thrown.getMessage());
    Matcher encoded = ENCODED.matcher(message);
    if (!encoded.matches()) {
      return thrown;
    }
    int rank = Integer.parseInt(encoded.group(2));
    String text = encoded.group(3);
    return switch (Integer.parseInt(encoded.group(1))) {
      case Native.INVALID_ARGUMENT -> new IllegalArgumentException(text, thrown);
      case Native.CLOSED -> new CommunicatorClosedException(text, rank, thrown);
      case Native.PEER_FAILED -> new PeerFailedException(text, rank, thrown);
      case Native.TIMEOUT -> new CollectiveTimeoutException(text, rank, thrown);
      case Native.MISMATCH -> new CollectiveMismatchException(text, rank, thrown);
      case Native.RENDEZVOUS -> new RendezvousException(text, rank, thrown);
      case Native.UNAVAILABLE -> new BackendUnavailableException(text, rank, thrown);
      case Native.INTERRUPTED -> new CommunicationInterruptedException(text, thrown);
      default -> new CommunicationException(text, rank, thrown);
    };
  }
}
