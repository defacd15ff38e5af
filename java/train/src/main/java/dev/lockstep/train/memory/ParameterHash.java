package dev.lockstep.train.memory;

import dev.lockstep.files.Sha256;
import dev.lockstep.train.memory.FlatLayout.Slot;
import java.security.MessageDigest;

/** One number for all of a model's parameters, to see that ranks agree to the bit. */
public final class ParameterHash {
  private static final long PIECE = 1 << 30;

  private ParameterHash() {}

  /** SHA-256 of the tensors' bytes in order, in lower-case hexadecimal. */
  public static String of(FlatBuffers tensors) {
    MessageDigest digest = Sha256.digest();
    for (Slot slot : tensors.layout().slots()) {
      long bytes = slot.count() * tensors.elementBytes(slot);
      for (long at = 0; at < bytes; at += PIECE) {
        digest.update(NativeView.bytes(tensors.address(slot) + at, Math.min(PIECE, bytes - at)));
      }
    }
    return Sha256.hexadecimal(digest);
  }
}
