package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/** {@link Channel} over a native communicator, which checks every argument. */
record NativeChannel(NativeCommunicator communicator, int peer, int tag) implements Channel {
  private static final DataType[] TYPES = DataType.values();

  @Override
  public Work send(Span data) {
    return NativeWork.message(
        communicator, communicator.requests().send(data, peer, tag), peer, tag, true);
  }

  @Override
  public Work receive(Span into) {
    Objects.requireNonNull(into, "into");
    return NativeWork.message(
        communicator, communicator.requests().receive(into, peer, tag), peer, tag, true);
  }

  @Override
  public Work receiveUpTo(Span into) {
    Objects.requireNonNull(into, "into");
    return NativeWork.message(
        communicator, communicator.requests().receive(into, peer, tag), peer, tag, false);
  }

  @Override
  public Optional<Incoming> poll() {
    return probe(0);
  }

  @Override
  public Optional<Incoming> await(Duration limit) {
    Objects.requireNonNull(limit, "limit");
    return probe(NativeWork.seconds(limit));
  }

  private Optional<Incoming> probe(double seconds) {
    LongBuffer found =
        ByteBuffer.allocateDirect(3 * Long.BYTES).order(ByteOrder.nativeOrder()).asLongBuffer();
    try {
      if (!Native.probe_message(
          communicator.handle(), peer, tag, seconds, Span.of(found).address())) {
        if (seconds > 0) {
          CommunicationInterruptedException.throwIfInterrupted("while it waited for a message.");
        }
        return Optional.empty();
      }
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
    return Optional.of(new Incoming((int) found.get(0), type((int) found.get(1)), found.get(2)));
  }

  private static DataType type(int code) {
    for (DataType type : TYPES) {
      if (type.code == code) {
        return type;
      }
    }
    throw new IllegalStateException("No element type has code " + code + ".");
  }
}
