package dev.lockstep.federated.privacy;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Encrypts two shares from one client for another by ChaCha20-Poly1305 (RFC 8439), bound to round,
 * sender and receiver.
 */
final class ShareCipher {
  /** Bytes of two encrypted shares with their tag. */
  static final int LENGTH = 2 * ShamirSharing.LENGTH + 16;

  private ShareCipher() {}

  static byte[] encrypt(byte[] key, long round, int sender, int receiver, byte[] shares) {
    try {
      return cipher(Cipher.ENCRYPT_MODE, key, round, sender, receiver).doFinal(shares);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("ChaCha20-Poly1305 does not encrypt.", e);
    }
  }

  /** Empty where it is not what the sender encrypted for the receiver in this round. */
  static Optional<byte[]> decrypt(
      byte[] key, long round, int sender, int receiver, byte[] encrypted) {
    try {
      return Optional.of(
          cipher(Cipher.DECRYPT_MODE, key, round, sender, receiver).doFinal(encrypted));
    } catch (AEADBadTagException e) {
      return Optional.empty();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("ChaCha20-Poly1305 does not decrypt.", e);
    }
  }

  /** A key is of one pair and round; each of its two directions has a nonce. */
  private static Cipher cipher(int mode, byte[] key, long round, int sender, int receiver)
      throws GeneralSecurityException {
    byte[] nonce = ByteBuffer.allocate(12).putInt(sender).putInt(receiver).array();
    Cipher cipher = Cipher.getInstance("ChaCha20-Poly1305");
    cipher.init(mode, new SecretKeySpec(key, "ChaCha20"), new IvParameterSpec(nonce));
    cipher.updateAAD(
        ByteBuffer.allocate(16).putLong(round).putInt(sender).putInt(receiver).array());
    return cipher;
  }
}
