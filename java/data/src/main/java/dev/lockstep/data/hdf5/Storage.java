package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The bytes of an open HDF5 file. Addresses are relative to the superblock, which user blocks (as
 * MATLAB writes them) push back. Nothing is allocated beyond the file's size. Thread-safe.
 */
final class Storage implements Closeable {
  /** The address of what was never written. */
  static final long UNDEFINED = -1;

  private static final byte[] SIGNATURE = {(byte) 0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};
  private static final int FIRST_USER_BLOCK = 512;

  private final FileChannel channel;
  private final long size;
  private final long base;

  /** Bytes of an address and of a length in this file. */
  final int offsetBytes;

  final int lengthBytes;

  /** The address of the root group's object header. */
  final long root;

  /** The address of the superblock extension, or {@link #UNDEFINED}. */
  final long extension;

  private Storage(FileChannel channel) throws IOException {
    this.channel = channel;
    size = channel.size();
    base = findSignature(channel, size);
    if (base < 0) {
      throw new UnreadableException("has no HDF5 signature; the file is not HDF5, or damaged");
    }
    ByteBuffer start = read(8, (int) Math.min(96, size - base - 8));
    int version = Byte.toUnsignedInt(start.get());
    if (version > 3) {
      throw new UnreadableException("has a superblock of the unknown version " + version);
    }
    start.position(version < 2 ? 5 : 1);
    offsetBytes = start.get();
    lengthBytes = start.get();
    if (offsetBytes < 2 || offsetBytes > 8 || lengthBytes < 2 || lengthBytes > 8) {
      throw new UnreadableException(
          "states addresses of " + offsetBytes + " bytes; the file is damaged");
    }
    start.position(version == 0 ? 16 : version == 1 ? 20 : 4);
    offset(start); // The stated base address: the signature's own position counts.
    long second = offset(start);
    long end = offset(start);
    long third = offset(start);
    if (version < 2) {
      offset(start); // Offset of the root's name.
      extension = UNDEFINED;
      root = offset(start);
    } else {
      extension = second;
      root = third;
      Checksum.verify(read(0, 12 + 4 * offsetBytes + 4), "superblock");
    }
    if (end > size) {
      throw new UnreadableException(
          "is cut short: it should have " + end + " bytes but has " + size + "; fetch it again");
    }
  }

  static Storage open(Path file) throws IOException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    try {
      return new Storage(channel);
    } catch (RuntimeException | IOException e) {
      channel.close();
      throw e;
    }
  }

  /** Whether a file has the signature of HDF5 at byte 0, 512, 1024, 2048, …. */
  static boolean isHdf5(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return findSignature(channel, channel.size()) >= 0;
    }
  }

  private static long findSignature(FileChannel channel, long size) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(SIGNATURE.length);
    for (long at = 0; at <= size - SIGNATURE.length; at = at == 0 ? FIRST_USER_BLOCK : 2 * at) {
      bytes.clear();
      while (bytes.hasRemaining() && channel.read(bytes, at + bytes.position()) >= 0) {
        // Reads until the eight bytes are there.
      }
      if (java.util.Arrays.equals(bytes.array(), SIGNATURE)) {
        return at;
      }
    }
    return -1;
  }

  /** The bytes at an address, little-endian, in a buffer of their own. */
  ByteBuffer read(long address, long length) {
    if (address < 0 || length < 0 || length > size - base || address > size - base - length) {
      throw new UnreadableException(
          "refers to "
              + length
              + " bytes at address "
              + address
              + ", outside of the file; it is damaged or cut short");
    }
    if (length > Integer.MAX_VALUE - 8) {
      throw new UnreadableException("has a piece of " + length + " bytes; 2 GiB are the limit");
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) length).order(ByteOrder.LITTLE_ENDIAN);
    try {
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, base + address + bytes.position()) < 0) {
          throw new UnreadableException("became shorter while it was read");
        }
      }
    } catch (IOException e) {
      throw new UnreadableException("cannot be read at byte " + (base + address), e);
    }
    return bytes.flip();
  }

  /** As many bytes as the file has from an address on, at most {@code length}. */
  ByteBuffer readUpTo(long address, int length) {
    return read(address, Math.max(0, Math.min(length, size - base - Math.max(0, address))));
  }

  /** Reads a structure that begins with four letters. */
  ByteBuffer read(long address, long length, String signature) {
    ByteBuffer bytes = read(address, length);
    require(bytes, signature, address);
    return bytes;
  }

  /** Reads a structure that begins with four letters and ends with its checksum. */
  ByteBuffer readChecked(long address, long length, String signature) {
    ByteBuffer bytes = read(address, length, signature);
    int position = bytes.position();
    Checksum.verify(bytes.rewind(), signature);
    return bytes.position(position).limit(bytes.capacity() - Checksum.BYTES);
  }

  private static void require(ByteBuffer bytes, String signature, long address) {
    byte[] letters = new byte[4];
    bytes.get(letters);
    if (!new String(letters, StandardCharsets.ISO_8859_1).equals(signature)) {
      throw new UnreadableException("is damaged: no " + signature + " at address " + address);
    }
  }

  /** The next address; {@link #UNDEFINED} if all of its bits are set. */
  long offset(ByteBuffer bytes) {
    long value = unsigned(bytes, offsetBytes);
    boolean undefined = offsetBytes < 8 && value == (1L << (8 * offsetBytes)) - 1;
    return undefined ? UNDEFINED : value;
  }

  long length(ByteBuffer bytes) {
    return unsigned(bytes, lengthBytes);
  }

  /** The next {@code count} (≤ 8) bytes as an unsigned number, the lowest first. */
  static long unsigned(ByteBuffer bytes, int count) {
    long value = 0;
    for (int i = 0; i < count; i++) {
      value |= Byte.toUnsignedLong(bytes.get()) << (8 * i);
    }
    return value;
  }

  long fileSize() {
    return size;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
