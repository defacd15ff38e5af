package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;

/** Bob Jenkins' hash "lookup3" (hashlittle, 2006), which guards the newer structures of HDF5. */
final class Checksum {
  static final int BYTES = 4;

  private Checksum() {}

  /** Fails unless the last four bytes are the hash of all before them. */
  static void verify(ByteBuffer bytes, String what) {
    int length = bytes.limit() - BYTES;
    if (hash(bytes, length) != bytes.getInt(length)) {
      throw new UnreadableException(
          "is damaged: the checksum of a structure " + what + " is wrong");
    }
  }

  private static int hash(ByteBuffer bytes, int length) {
    int a = 0xdeadbeef + length;
    int b = a;
    int c = a;
    int at = 0;
    for (; length - at > 12; at += 12) {
      a += bytes.getInt(at);
      b += bytes.getInt(at + 4);
      c += bytes.getInt(at + 8);
      a = (a - c) ^ Integer.rotateLeft(c, 4);
      c += b;
      b = (b - a) ^ Integer.rotateLeft(a, 6);
      a += c;
      c = (c - b) ^ Integer.rotateLeft(b, 8);
      b += a;
      a = (a - c) ^ Integer.rotateLeft(c, 16);
      c += b;
      b = (b - a) ^ Integer.rotateLeft(a, 19);
      a += c;
      c = (c - b) ^ Integer.rotateLeft(b, 4);
      b += a;
    }
    if (at == length) {
      return c;
    }
    a += tail(bytes, at, length);
    b += tail(bytes, at + 4, length);
    c += tail(bytes, at + 8, length);
    c = (c ^ b) - Integer.rotateLeft(b, 14);
    a = (a ^ c) - Integer.rotateLeft(c, 11);
    b = (b ^ a) - Integer.rotateLeft(a, 25);
    c = (c ^ b) - Integer.rotateLeft(b, 16);
    a = (a ^ c) - Integer.rotateLeft(c, 4);
    b = (b ^ a) - Integer.rotateLeft(a, 14);
    return (c ^ b) - Integer.rotateLeft(b, 24);
  }

  /** Up to four bytes at {@code at}; those from {@code length} on count as zero. */
  private static int tail(ByteBuffer bytes, int at, int length) {
    int value = 0;
    for (int i = 0; i < 4 && at + i < length; i++) {
      value |= Byte.toUnsignedInt(bytes.get(at + i)) << (8 * i);
    }
    return value;
  }
}
