package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.util.Arrays;

/** Marc Lehmann's LZF, the compression that h5py brings along ({@code compression="lzf"}). */
final class Lzf {
  private Lzf() {}

  /** Decodes at most {@code limit} bytes. */
  static byte[] decode(byte[] in, int limit) {
    byte[] out = new byte[limit];
    int done = 0;
    int at = 0;
    try {
      while (at < in.length) {
        int control = Byte.toUnsignedInt(in[at++]);
        if (control < 32) {
          int literals = control + 1;
          System.arraycopy(in, at, out, done, literals);
          at += literals;
          done += literals;
        } else {
          int length = control >> 5;
          if (length == 7) {
            length += Byte.toUnsignedInt(in[at++]);
          }
          int from = done - ((control & 0x1F) << 8) - Byte.toUnsignedInt(in[at++]) - 1;
          // The pieces may overlap: a run repeats what it has just written.
          for (int i = 0; i < length + 2; i++) {
            out[done++] = out[from++];
          }
        }
      }
    } catch (IndexOutOfBoundsException e) {
      throw new UnreadableException("is damaged: a chunk compressed with LZF makes no sense", e);
    }
    return done == limit ? out : Arrays.copyOf(out, done);
  }
}
