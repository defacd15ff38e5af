package dev.lockstep.federated.privacy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class PrimitivesTest {
  /** RFC 5869, appendix A, test cases 1 and 3. */
  @Test
  void hkdfGivesTheVectorsOfItsRfc() {
    byte[] input = bytes("0b".repeat(22));
    assertEquals(
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        hex(
            Hkdf.derive(
                input, bytes("000102030405060708090a0b0c"), bytes("f0f1f2f3f4f5f6f7f8f9"), 42)));
    assertEquals(
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        hex(Hkdf.derive(input, new byte[0], 42)));
  }

  /** RFC 8439, appendix A.1, test vectors 1 and 2: zero key and nonce, blocks 0 and 1. */
  @Test
  void theStreamIsThatOfChaCha20() {
    byte[] stream = new byte[128];
    new KeyedStream(new byte[32], new byte[12]).next(stream, stream.length);
    assertEquals(
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
            + "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
            + "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
            + "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f",
        hex(stream));
  }

  /** RFC 7748, section 6.1: Bob's keys, and Alice's public one. */
  @Test
  void publicKeysAreThoseOfX25519AndBothEndsDeriveTheSameKey() {
    KeyPair bob =
        KeyPair.of(bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    assertEquals(
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", hex(bob.publicKey()));
    KeyPair other = KeyPair.generate(new SeededSecureRandom(1));
    byte[] key = bob.keyWith(other.publicKey(), "mask", 1).orElseThrow();
    assertArrayEquals(key, other.keyWith(bob.publicKey(), "mask", 1).orElseThrow());
    assertFalse(Arrays.equals(key, bob.keyWith(other.publicKey(), "mask", 2).orElseThrow()));
    assertFalse(Arrays.equals(key, bob.keyWith(other.publicKey(), "shares", 1).orElseThrow()));
    assertTrue(bob.keyWith(new byte[KeyPair.LENGTH], "mask", 1).isEmpty());
  }

  @Test
  void encryptedSharesAreBoundToRoundSenderAndReceiver() {
    byte[] key = bytes("07".repeat(32));
    byte[] shares = bytes("2a".repeat(2 * ShamirSharing.LENGTH));
    byte[] encrypted = ShareCipher.encrypt(key, 1, 2, 3, shares);
    assertEquals(ShareCipher.LENGTH, encrypted.length);
    assertArrayEquals(shares, ShareCipher.decrypt(key, 1, 2, 3, encrypted).orElseThrow());
    assertTrue(ShareCipher.decrypt(key, 0, 2, 3, encrypted).isEmpty());
    assertTrue(ShareCipher.decrypt(key, 1, 3, 2, encrypted).isEmpty());
    assertTrue(ShareCipher.decrypt(key, 1, 2, 4, encrypted).isEmpty());
  }

  @Test
  void aStreamReadInPiecesIsTheSame() {
    byte[] whole = new byte[30_000];
    new KeyedStream(new byte[32], new byte[12]).next(whole, whole.length);
    KeyedStream stream = new KeyedStream(new byte[32], new byte[12]);
    byte[] pieces = new byte[0];
    for (int length = 1; pieces.length + length <= whole.length; length += 7) {
      byte[] piece = new byte[length];
      stream.next(piece, length);
      pieces = Arrays.copyOf(pieces, pieces.length + length);
      System.arraycopy(piece, 0, pieces, pieces.length - length, length);
    }
    assertArrayEquals(Arrays.copyOf(whole, pieces.length), pieces);
  }

  @Test
  void boundedNumbersAreUniform() {
    KeyedStream stream = NoiseKey.fromPublicSeed(3).stream(NoiseKey.Purpose.NOISE, 0);
    long[] counts = new long[7];
    double[] expected = new double[7];
    Arrays.fill(expected, 10_000);
    for (int i = 0; i < 70_000; i++) {
      counts[(int) stream.nextBelow(7)]++;
    }
    assertTrue(ChiSquare.probability(counts, expected) > 0.01);
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex);
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
