package dev.lockstep.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.security.MessageDigest;

/**
 * Passes bytes on, and knows how many there were and what they hash to. Closing it is the owner's
 * part.
 */
final class HashingChannel implements WritableByteChannel {
  private final WritableByteChannel sink;
  private final MessageDigest digest = Sha256.digest();
  private long bytes;

  HashingChannel(WritableByteChannel sink) {
    this.sink = sink;
  }

  /** Writes all that remains, however short the sink's own writes are. */
  @Override
  public int write(ByteBuffer source) throws IOException {
    int length = source.remaining();
    digest.update(source.duplicate());
    while (source.hasRemaining()) {
      sink.write(source);
    }
    bytes += length;
    return length;
  }

  @Override
  public boolean isOpen() {
    return sink.isOpen();
  }

  @Override
  public void close() {}

  /** What was written; ends the hash. */
  FileSeal seal() {
    return new FileSeal(bytes, Sha256.hexadecimal(digest));
  }
}
