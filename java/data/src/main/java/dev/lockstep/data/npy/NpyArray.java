package dev.lockstep.data.npy;

import dev.lockstep.data.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;

/** The elements of one NPY array behind an open channel. */
final class NpyArray {
  private static final int READ_BYTES = 1 << 16;

  private final String location;
  private final FileChannel channel;
  private final NpyHeader header;
  private final ByteBuffer buffer;

  NpyArray(String location, FileChannel channel) throws IOException {
    this.location = location;
    this.channel = channel;
    header = NpyHeader.read(Channels.newInputStream(channel.position(0)), location);
    buffer = ByteBuffer.allocate(READ_BYTES).order(header.type().order());
    if (header.fileBytes() > channel.size()) {
      throw new DataException(
          location,
          "is cut short: its header promises "
              + header.fileBytes()
              + " bytes, the file has "
              + channel.size()
              + "; fetch or copy it again");
    }
  }

  NpyHeader header() {
    return header;
  }

  void read(long from, int count, double[] values) {
    int size = header.type().size();
    for (int done = 0; done < count; ) {
      int part = Math.min(count - done, READ_BYTES / size);
      long start = header.dataStart() + (from + done) * size;
      fill(start, part * size);
      for (int i = 0; i < part; i++) {
        values[done + i] = header.type().get(buffer, i * size);
      }
      done += part;
    }
  }

  private void fill(long start, int bytes) {
    buffer.clear().limit(bytes);
    try {
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, start + buffer.position()) < 0) {
          throw new DataException(
              location, "became shorter while it was read, at byte " + (start + buffer.position()));
        }
      }
    } catch (IOException e) {
      throw new DataException(location, "cannot be read at byte " + start, e);
    }
  }
}
