package dev.lockstep.monitor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A TensorBoard event file: {@code Event} messages in protocol buffer encoding, each in a TFRecord
 * frame of length, checksum of the length, message, checksum of the message.
 *
 * <p>Sources: TensorFlow's {@code event.proto} and {@code summary.proto} for the field numbers, its
 * {@code record_writer.h} for the frame, <a
 * href="https://protobuf.dev/programming-guides/encoding/">protobuf.dev</a> for the encoding.
 */
final class EventFile implements AutoCloseable {
  private static final int EVENT_WALL_TIME = 1;
  private static final int EVENT_STEP = 2;
  private static final int EVENT_FILE_VERSION = 3;
  private static final int EVENT_SUMMARY = 5;
  private static final int EVENT_SESSION_LOG = 7;
  private static final int SUMMARY_VALUE = 1;
  private static final int VALUE_TAG = 1;
  private static final int VALUE_SIMPLE_VALUE = 2;
  private static final int SESSION_LOG_STATUS = 1;
  private static final int STATUS_START = 1;

  private final Path path;
  private final FileChannel channel;
  private final InstantSource clock;

  private EventFile(Path path, FileChannel channel, InstantSource clock) {
    this.path = path;
    this.channel = channel;
    this.clock = clock;
  }

  /** Makes a new event file; TensorBoard reads a folder's files in the order of their names. */
  static EventFile create(Path folder, InstantSource clock) {
    for (int number = 0; ; number++) {
      String name =
          String.format(
              Locale.ROOT,
              "events.out.tfevents.%010d.%d.%d",
              clock.instant().getEpochSecond(),
              ProcessHandle.current().pid(),
              number);
      Path path = folder.resolve(name);
      try {
        FileChannel channel =
            FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        EventFile file = new EventFile(path, channel, clock);
        file.append(new Message().text(EVENT_FILE_VERSION, "brain.Event:2"), 0);
        return file;
      } catch (FileAlreadyExistsException taken) {
        continue;
      } catch (IOException e) {
        throw RunFolderException.writing(path, e);
      }
    }
  }

  /** Tells TensorBoard to forget, from earlier files, this step and those after it. */
  void restartAt(long step) {
    append(
        new Message()
            .message(EVENT_SESSION_LOG, new Message().varint(SESSION_LOG_STATUS, STATUS_START)),
        step);
  }

  /** Adds a point to each of some curves. */
  void scalars(long step, Map<String, Double> values) {
    Message summary = new Message();
    values.forEach(
        (tag, value) ->
            summary.message(
                SUMMARY_VALUE,
                new Message()
                    .text(VALUE_TAG, tag)
                    .float32(VALUE_SIMPLE_VALUE, value.floatValue())));
    append(new Message().message(EVENT_SUMMARY, summary), step);
  }

  private void append(Message what, long step) {
    Instant now = clock.instant();
    double seconds = now.getEpochSecond() + now.getNano() * 1e-9;
    Message event = new Message().float64(EVENT_WALL_TIME, seconds);
    if (step != 0) {
      event.varint(EVENT_STEP, step);
    }
    ByteBuffer frame = frame(event.followedBy(what).bytes());
    try {
      while (frame.hasRemaining()) {
        channel.write(frame);
      }
    } catch (IOException e) {
      throw RunFolderException.writing(path, e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw RunFolderException.writing(path, e);
    }
  }

  private static ByteBuffer frame(byte[] data) {
    ByteBuffer frame = ByteBuffer.allocate(data.length + 16).order(ByteOrder.LITTLE_ENDIAN);
    frame.putLong(data.length);
    frame.putInt(maskedChecksum(frame.array(), Long.BYTES));
    return frame.put(data).putInt(maskedChecksum(data, data.length)).flip();
  }

  /** CRC-32C, rotated and shifted so that a frame within a frame does not check itself. */
  private static int maskedChecksum(byte[] data, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(data, 0, length);
    return Integer.rotateRight((int) checksum.getValue(), 15) + 0xa282ead8;
  }

  /** A protocol buffer message under construction. */
  private static final class Message {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED32 = 5;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Message varint(int field, long value) {
      return raw((long) field << 3 | VARINT).raw(value);
    }

    Message float64(int field, double value) {
      return fixed(field, FIXED64, littleEndian(Double.BYTES).putDouble(value));
    }

    Message float32(int field, float value) {
      return fixed(field, FIXED32, littleEndian(Float.BYTES).putFloat(value));
    }

    Message text(int field, String value) {
      return delimited(field, value.getBytes(StandardCharsets.UTF_8));
    }

    Message message(int field, Message value) {
      return delimited(field, value.bytes());
    }

    Message followedBy(Message more) {
      out.writeBytes(more.bytes());
      return this;
    }

    byte[] bytes() {
      return out.toByteArray();
    }

    private Message fixed(int field, int type, ByteBuffer value) {
      raw((long) field << 3 | type);
      out.writeBytes(value.array());
      return this;
    }

    private Message delimited(int field, byte[] value) {
      raw((long) field << 3 | LENGTH_DELIMITED).raw(value.length);
      out.writeBytes(value);
      return this;
    }

    private Message raw(long varint) {
      long rest = varint;
      while ((rest & ~0x7fL) != 0) {
        out.write((int) (rest & 0x7f | 0x80));
        rest >>>= 7;
      }
      out.write((int) rest);
      return this;
    }

    private static ByteBuffer littleEndian(int bytes) {
      return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
  }
}
