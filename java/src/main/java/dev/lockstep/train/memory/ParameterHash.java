package dev.lockstep.train.memory;

import dev.lockstep.train.memory.FlatLayout.Slot;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** One number for all of a model's parameters, to see that ranks agree to the bit. */
public final class ParameterHash {
  private static final long PIECE = 1 << 30;

  private ParameterHash() {}

  public static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JDK has SHA-256.", e);
    }
  }

  /** SHA-256 of the tensors' bytes in order, in lower-case hexadecimal. */
  public static String of(FlatBuffers tensors) {
    MessageDigest digest = sha256();
    for (Slot slot : tensors.layout().slots()) {
      long bytes = slot.count() * tensors.elementBytes(slot);
      for (long at = 0; at < bytes; at += PIECE) {
        digest.update(NativeView.bytes(tensors.address(slot) + at, Math.min(PIECE, bytes - at)));
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
