package dev.lockstep.data.netcdf;

import dev.lockstep.data.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Reads a file's header forwards, big-endian, and knows the offset for error messages. */
final class ByteReader {
  private static final int BUFFER_BYTES = 8192;

  private final Path file;
  private final FileChannel channel;
  private final long size;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).limit(0);
  private long bufferStart;

  ByteReader(Path file, FileChannel channel, long start) throws IOException {
    this.file = file;
    this.channel = channel;
    this.size = channel.size();
    this.bufferStart = start;
  }

  private long offset() {
    return bufferStart + buffer.position();
  }

  DataException error(String problem) {
    return new DataException(
        file.toString(),
        problem + " (byte " + offset() + "); the file is damaged or not what its name says");
  }

  /**
   * Fails unless {@code count} elements of {@code bytes} bytes can still follow: checked before
   * allocating.
   */
  void require(long count, int bytes, String what) {
    long left = size - offset();
    if (count > left / bytes || count > Integer.MAX_VALUE - 8) {
      throw error("is cut short: " + count + " elements of " + what + " do not fit");
    }
  }

  /** The next {@code count} (≤ 8) bytes as a big-endian buffer, valid until the next call. */
  ByteBuffer take(int count) {
    if (buffer.remaining() < count) {
      fill(count);
    }
    ByteBuffer bytes = buffer.slice(buffer.position(), count);
    buffer.position(buffer.position() + count);
    return bytes;
  }

  int readByte() {
    return Byte.toUnsignedInt(take(1).get());
  }

  int readInt() {
    return take(4).getInt();
  }

  long readLong() {
    return take(8).getLong();
  }

  String readText(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = take(1).get();
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  void skip(int bytes) {
    take(bytes);
  }

  /** Skips to the next multiple of four bytes. */
  void align() {
    int padding = (int) (-offset() & 3);
    // The last attribute of a file may lack its padding.
    take((int) Math.min(padding, size - offset()));
  }

  private void fill(int count) {
    long start = offset();
    try {
      buffer.clear();
      bufferStart = start;
      while (buffer.position() < count) {
        if (channel.read(buffer, start + buffer.position()) < 0) {
          buffer.flip().position(buffer.limit());
          throw error("ends inside its header");
        }
      }
      buffer.flip();
    } catch (IOException e) {
      throw new DataException(file.toString(), "cannot be read at byte " + start, e);
    }
  }
}
