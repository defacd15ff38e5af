package dev.lockstep.federated.network;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

class SealTest {
  private static final byte[] TOKEN = "a client's token".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] CHALLENGE = {1, 2, 3};
  private static final byte[] NONCE = {4, 5, 6};

  private final Seal sent = Seal.ofClient(TOKEN, CHALLENGE, NONCE);
  private final Seal came = Seal.ofClient(TOKEN, CHALLENGE, NONCE);
  private final ByteBuffer body = ByteBuffer.wrap(new byte[] {7, 8, 9});
  private final ByteBuffer header = Frame.header(2, body);

  private void assertRefused(Seal by, ByteBuffer frame, ByteBuffer content, ByteBuffer seal) {
    IOException e = assertThrows(IOException.class, () -> by.check(frame, content, seal));
    assertEquals("a message was changed, repeated or left out on its way", e.getMessage());
  }

  @Test
  void aMessageAsItWasSentIsTaken() {
    for (int i = 0; i < 3; i++) {
      ByteBuffer seal = sent.next(header, body);
      assertDoesNotThrow(() -> came.check(header, body, seal));
    }
  }

  @Test
  void itsPartsMayLieApart() {
    ByteBuffer two = body.duplicate().position(1).slice();
    ByteBuffer seal = sent.next(header, body.duplicate().limit(1), two);
    assertDoesNotThrow(() -> came.check(header, body, seal));
  }

  @Test
  void anotherKindOrBodyIsRefused() {
    ByteBuffer seal = sent.next(header, body);
    assertRefused(Seal.ofClient(TOKEN, CHALLENGE, NONCE), Frame.header(3, body), body, seal);
    ByteBuffer other = ByteBuffer.wrap(new byte[] {7, 8, 10});
    assertRefused(Seal.ofClient(TOKEN, CHALLENGE, NONCE), header, other, seal);
  }

  @Test
  void aMessageThatIsRepeatedOrLeftOutIsRefused() {
    ByteBuffer first = sent.next(header, body);
    ByteBuffer second = sent.next(header, body);
    assertRefused(Seal.ofClient(TOKEN, CHALLENGE, NONCE), header, body, second);
    assertDoesNotThrow(() -> came.check(header, body, first));
    assertRefused(came, header, body, first);
  }

  @Test
  void whatIsOfTheOtherDirectionAnotherConnectionOrAnotherTokenIsRefused() {
    ByteBuffer seal = sent.next(header, body);
    assertRefused(Seal.ofServer(TOKEN, CHALLENGE, NONCE), header, body, seal);
    assertRefused(Seal.ofClient(TOKEN, new byte[] {1, 2, 4}, NONCE), header, body, seal);
    assertRefused(Seal.ofClient(TOKEN, CHALLENGE, new byte[] {4, 5, 7}), header, body, seal);
    assertRefused(Seal.ofClient(new byte[] {1}, CHALLENGE, NONCE), header, body, seal);
  }

  /** Written down once more from the description, without this class. */
  @Test
  void itIsHmacSha256OfTheNumberTheHeaderAndTheBody() throws Exception {
    String purpose = HexFormat.of().formatHex("messages of the client".getBytes("US-ASCII"));
    byte[] key = hmac(TOKEN, purpose + "010203" + "040506");
    sent.next(header, body);
    String expected = HexFormat.of().formatHex(hmac(key, "0000000000000001" + "0000000302070809"));
    assertEquals(expected, HexFormat.of().formatHex(sent.next(header, body).array()));
  }

  private static byte[] hmac(byte[] key, String hexadecimal) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(HexFormat.of().parseHex(hexadecimal));
  }
}
