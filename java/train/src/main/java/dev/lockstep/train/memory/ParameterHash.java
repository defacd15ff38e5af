package dev.lockstep.train.memory;

import dev.lockstep.files.Sha256;
import dev.lockstep.model.ModelTensor;
import dev.lockstep.train.memory.FlatLayout.Slot;
import java.security.MessageDigest;
import java.util.List;

/** One number for all of a model's parameters, to see that ranks agree to the bit. */
public final class ParameterHash {
  private static final long PIECE = 1 << 30;

  private ParameterHash() {}

  /** SHA-256 of contiguous tensors' bytes in order, in lower-case hexadecimal. */
  public static String of(List<ModelTensor> tensors) {
    MessageDigest digest = Sha256.digest();
    for (ModelTensor tensor : tensors) {
      add(digest, tensor.tensor().data_ptr().address(), tensor.tensor().nbytes());
    }
    return Sha256.hexadecimal(digest);
  }

  private static void add(MessageDigest digest, long address, long bytes) {
    for (long at = 0; at < bytes; at += PIECE) {
      digest.update(NativeView.bytes(address + at, Math.min(PIECE, bytes - at)));
    }
  }

  /** SHA-256 of the tensors' bytes in order, in lower-case hexadecimal. */
  public static String of(FlatBuffers tensors) {
    MessageDigest digest = Sha256.digest();
    for (Slot slot : tensors.layout().slots()) {
      add(digest, tensors.address(slot), slot.count() * tensors.elementBytes(slot));
    }
    return Sha256.hexadecimal(digest);
  }
}
