package dev.lockstep.data.codec;

import java.util.Arrays;

/** Orders of bytes and bits that compress better. */
public final class Shuffle {
  private Shuffle() {}

  /** Byte j of every element lies in plane j; what is left after whole elements stays. */
  public static byte[] undoBytes(byte[] bytes, int elementBytes) {
    if (elementBytes <= 1) {
      return bytes;
    }
    int elements = bytes.length / elementBytes;
    byte[] out = new byte[bytes.length];
    int whole = elements * elementBytes;
    System.arraycopy(bytes, whole, out, whole, bytes.length - whole);
    for (int j = 0; j < elementBytes; j++) {
      int plane = j * elements;
      for (int i = 0; i < elements; i++) {
        out[i * elementBytes + j] = bytes[plane + i];
      }
    }
    return out;
  }

  /**
   * Bit k of every element's byte j lies in row 8 j + k, eight elements to a byte. Bytes behind the
   * last whole element stay, and so do all where the elements are no multiple of eight, as Blosc 1
   * has it.
   */
  public static byte[] undoBits(byte[] bytes, int elementBytes) {
    int elements = bytes.length / elementBytes;
    if (elements % 8 != 0) {
      return bytes;
    }
    byte[] out = bytes.clone();
    int rowBytes = elements / 8;
    Arrays.fill(out, 0, elements * elementBytes, (byte) 0);
    for (int j = 0; j < elementBytes; j++) {
      for (int k = 0; k < 8; k++) {
        int row = (8 * j + k) * rowBytes;
        for (int i = 0; i < elements; i++) {
          int bit = bytes[row + (i >> 3)] >> (i & 7) & 1;
          out[i * elementBytes + j] |= (byte) (bit << k);
        }
      }
    }
    return out;
  }
}
