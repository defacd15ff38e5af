package dev.lockstep.federated.privacy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.federated.privacy.SecureAggregationException.Reason;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients, servers and wires that do what they must not. */
@Timeout(120)
class HostileAggregationTest {
  private static final int REVEALED_ENTRY = Integer.BYTES + 1 + ShamirSharing.LENGTH;
  private static final int SHARES_ENTRY =
      Integer.BYTES + 2 * Commitment.LENGTH + ShareCipher.LENGTH;

  private final AggregationRound round =
      new AggregationRound(SecureAggregation.of(5, 6, 1000).withThreshold(3), 3);

  @Test
  void aWrongShareIsRefusedByNameAndTheOthersGiveTheSum() {
    stages(3);
    for (int id : round.inbox.keySet()) {
      byte[] message = round.answer(id);
      if (id == 2) {
        byte[] wrong = message.clone();
        wrong[Message.HEADER + REVEALED_ENTRY + 10] ^= 1; // of its share of client 1
        refused(Reason.WRONG_SHARE, 2, "wrong share of client 1", () -> receive(2, wrong));
      } else {
        round.server.receive(id, message);
      }
    }
    assertArrayEquals(round.plainSum(List.of(0, 1, 2, 3, 4)), round.server.sum());
  }

  /** The shares fit their commitments, but not the commitment of the whole. */
  @Test
  void aClientThatCommitsToAnotherSeedIsFoundWhenItsSeedIsRebuilt() {
    round.stage();
    for (int id : round.inbox.keySet()) {
      byte[] message = round.answer(id);
      message[Message.HEADER] ^= (byte) (id == 1 ? 1 : 0);
      round.server.receive(id, message);
    }
    round.inbox = round.server.closeStage();
    round.stage();
    round.stage();
    refused(Reason.WRONG_SHARE, 1, "dealt are not of the secret", round.server::sum);
  }

  @Test
  void aClientThatSharesAnotherMaskKeyThanItAdvertisesIsFoundWhenItIsLost() {
    byte[] own = {};
    for (int id : round.inbox.keySet()) {
      byte[] message = round.answer(id);
      if (id == 1) {
        own = Arrays.copyOfRange(message, Message.HEADER, Message.HEADER + KeyPair.LENGTH);
        byte[] another = KeyPair.generate(new SeededSecureRandom(9)).publicKey();
        ByteBuffer.wrap(message).position(Message.HEADER).put(another);
      }
      round.server.receive(id, message);
    }
    round.inbox = round.server.closeStage();
    byte[] asItExpects = round.inbox.get(1).clone();
    ByteBuffer.wrap(asItExpects)
        .position(Message.HEADER + 2 * Integer.BYTES + 2 * KeyPair.LENGTH)
        .put(own);
    round.inbox.put(1, asItExpects);
    round.stage();
    round.stage(1);
    round.stage();
    refused(Reason.WRONG_SHARE, 1, "dealt are not of the secret", round.server::sum);
  }

  @Test
  void sharesChangedOnTheirWayAreRefusedByTheNameOfTheirSender() {
    stages(2);
    byte[] envelopes = round.inbox.get(0).clone(); // entries of clients 1 to 4
    envelopes[Message.HEADER + 2 * SHARES_ENTRY - 1] ^= 1;
    refused(
        Reason.TAMPERED,
        2,
        "changed on their way",
        () -> round.clients.get(0).mask(envelopes, round.inputs.get(0)));
    refused(
        Reason.REFUSED,
        0,
        "asked for stage MASK",
        () -> round.clients.get(0).mask(round.inbox.get(0), round.inputs.get(0)));
  }

  @Test
  void sharesOfAnotherReceiverOrSenderDoNotDecrypt() {
    stages(2);
    byte[] mine = round.inbox.get(0).clone();
    byte[] others = round.inbox.get(1);
    // Client 2 is second in both; its shares for client 1 are put in the place of those for 0.
    System.arraycopy(
        others, Message.HEADER + SHARES_ENTRY, mine, Message.HEADER + SHARES_ENTRY, SHARES_ENTRY);
    refused(
        Reason.TAMPERED,
        2,
        "shares of client 2",
        () -> round.clients.get(0).mask(mine, round.inputs.get(0)));
  }

  @Test
  void sharesThatDoNotFitTheirCommitmentsAreRefusedByTheReceiver() {
    stages(2);
    byte[] envelopes = round.inbox.get(0).clone();
    envelopes[Message.HEADER + Integer.BYTES] ^= 1;
    refused(
        Reason.TAMPERED,
        1,
        "do not fit its commitments",
        () -> round.clients.get(0).mask(envelopes, round.inputs.get(0)));
  }

  @Test
  void aSecondMessageOfAStageIsRefusedAndDoesNotCountTwice() {
    for (int stage = 0; stage < 4; stage++) {
      for (int id : round.inbox.keySet()) {
        byte[] message = round.answer(id);
        round.server.receive(id, message);
        refused(Reason.DUPLICATE, id, "second message", () -> receive(id, message));
      }
      assertEquals(5, round.server.answered());
      assertEquals(5, round.server.expected());
      if (stage < 3) {
        round.inbox = round.server.closeStage();
      }
    }
    assertArrayEquals(round.plainSum(List.of(0, 1, 2, 3, 4)), round.server.sum());
  }

  @Test
  void maskedIntegersThatComeLateAreRefusedForTheyWouldBeUnmasked() {
    stages(2);
    byte[] late = round.answer(4);
    round.stage(4);
    refused(Reason.LATE, 4, "could unmask it", () -> receive(4, late));
    round.stage();
    assertArrayEquals(round.plainSum(List.of(0, 1, 2, 3)), round.server.sum());
    refused(Reason.LATE, 4, "could unmask it", () -> receive(4, late));
  }

  @Test
  void aClientThatMissedAStageStaysOut() {
    Map<Integer, byte[]> directory;
    round.stage();
    directory = round.inbox;
    round.stage(4);
    refused(
        Reason.LATE,
        4,
        "for SHARE came while the round is at MASK",
        () -> receive(4, round.clients.get(4).share(directory.get(4))));
    byte[] masked = round.answer(3);
    byte[] asFour = masked.clone();
    ByteBuffer.wrap(asFour).putInt(10, 4);
    refused(Reason.LATE, 4, "missed a stage", () -> receive(4, asFour));
    refused(Reason.MALFORMED, 4, "sender 3", () -> receive(4, masked));
  }

  @Test
  void messagesForAStageToComeAreRefused() {
    byte[] keys = round.answer(0);
    round.server.receive(0, keys);
    byte[] early = {1, 4, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0};
    refused(Reason.EARLY, 1, "while the round is at ADVERTISE", () -> receive(1, early));
    assertThrows(IllegalStateException.class, round.server::sum);
  }

  /** Both kinds of shares of one client would unmask it; so nobody answers twice. */
  @Test
  void aClientRevealsSharesOnceWhateverTheServerSaysLater() {
    stages(3);
    SecureAggregationClient client = round.clients.get(0);
    client.reveal(survivors(0, 1, 2));
    refused(Reason.REFUSED, 0, "asked for stage REVEAL", () -> client.reveal(survivors(0, 3, 4)));
  }

  @Test
  void aClientRefusesSurvivorsThatContradictWhatItKnows() {
    stages(2);
    round.stage(); // all five have sent masked integers
    refused(
        Reason.REFUSED,
        -1,
        "counts this client as lost",
        () -> round.clients.get(0).reveal(survivors(1, 2, 3)));
    refused(
        Reason.BELOW_THRESHOLD,
        -1,
        "2 are left",
        () -> round.clients.get(1).reveal(survivors(1, 2)));
    refused(Reason.MALFORMED, -1, "follows", () -> round.clients.get(2).reveal(survivors(2, 2, 2)));
    AggregationRound other = new AggregationRound(round.settings, 3);
    other.stage();
    other.stage(4);
    other.stage();
    refused(
        Reason.REFUSED,
        -1,
        "not all among those",
        () -> other.clients.get(0).reveal(survivors(0, 1, 4)));
  }

  private byte[] survivors(int... ids) {
    ByteBuffer message =
        Message.begin(
            Message.Type.SURVIVORS,
            round.settings,
            AggregationRound.ROUND,
            Message.SERVER,
            ids.length);
    Arrays.stream(ids).forEach(message::putInt);
    return message.array();
  }

  @Test
  void aClientRefusesADirectoryWithoutItsKeysOrWithTooFew() {
    round.stage(0, 1);
    refused(Reason.REFUSED, -1, "lacks this client's keys", () -> share(0, round.inbox.get(2)));
    byte[] changed = round.inbox.get(2).clone();
    changed[Message.HEADER + Integer.BYTES] ^= 1; // the key of client 2, the first
    refused(Reason.REFUSED, -1, "lacks this client's keys", () -> share(2, changed));
    byte[] one = Arrays.copyOf(round.inbox.get(3), Message.HEADER + 2 * (4 + 64));
    ByteBuffer.wrap(one).putInt(14, 2);
    refused(Reason.BELOW_THRESHOLD, -1, "2 are left", () -> share(3, one));
  }

  private void share(int id, byte[] directory) {
    SecureAggregationClient client = round.clients.get(id);
    if (id == 0) {
      client.advertise(); // the round left it out
    }
    client.share(directory);
  }

  @Test
  void keysOfSmallOrderAreRefused() {
    byte[] message = round.answer(0);
    Arrays.fill(message, Message.HEADER, Message.HEADER + KeyPair.LENGTH, (byte) 0);
    refused(Reason.MALFORMED, 0, "small order", () -> receive(0, message));
    assertEquals(0, round.server.answered());
  }

  @Test
  void integersThatTheModulusDoesNotHoldAreRefusedByTheClient() {
    stages(2);
    long[] integers = new long[6];
    integers[4] = -1001;
    refused(
        Reason.OUT_OF_RANGE,
        0,
        "-1001 at index 4",
        () -> round.clients.get(0).mask(round.inbox.get(0), integers));
  }

  /** Whatever bytes come: a typed error that names the client, and the round has its sum. */
  @Test
  void damagedMessagesAreRefusedOrHarmless() {
    Random random = new Random(12);
    for (int stage = 0; stage < 4; stage++) {
      for (int id : round.inbox.keySet()) {
        byte[] message = round.answer(id);
        for (int trial = 0; trial < 50; trial++) {
          byte[] damaged =
              trial % 2 == 0
                  ? Arrays.copyOf(message, random.nextInt(message.length + 40))
                  : message.clone();
          if (damaged.length > 0 && trial % 4 != 0) {
            damaged[random.nextInt(Math.min(damaged.length, Message.HEADER))] ^=
                (byte) (1 + random.nextInt(255));
          }
          if (Arrays.equals(damaged, message)) {
            continue;
          }
          var thrown = assertThrows(SecureAggregationException.class, () -> receive(id, damaged));
          assertEquals(OptionalInt.of(id), thrown.client(), thrown.getMessage());
        }
        round.server.receive(id, message);
      }
      if (stage < 3) {
        round.inbox = round.server.closeStage();
      }
    }
    assertArrayEquals(round.plainSum(List.of(0, 1, 2, 3, 4)), round.server.sum());
  }

  @Test
  void damagedMessagesOfTheServerEndTheClientsRoundWithATypedError() {
    Random random = new Random(13);
    for (int stage = 1; stage < 4; stage++) {
      for (int trial = 0; trial < 20; trial++) {
        AggregationRound fresh = new AggregationRound(round.settings, 3);
        for (int i = 0; i < stage; i++) {
          fresh.stage();
        }
        byte[] damaged = fresh.inbox.get(1);
        damaged =
            trial % 2 == 0
                ? Arrays.copyOf(damaged, random.nextInt(damaged.length))
                : damaged.clone();
        if (trial % 2 == 1) {
          damaged[random.nextInt(Message.HEADER)] ^= (byte) (1 + random.nextInt(255));
        }
        fresh.inbox = new TreeMap<>(Map.of(1, damaged));
        assertThrows(SecureAggregationException.class, () -> fresh.answer(1));
      }
    }
  }

  private void stages(int count) {
    for (int i = 0; i < count; i++) {
      round.stage();
    }
  }

  private void receive(int client, byte[] message) {
    round.server.receive(client, message);
  }

  private static void refused(Reason reason, int client, String part, Runnable call) {
    var thrown = assertThrows(SecureAggregationException.class, call::run);
    assertEquals(reason, thrown.reason(), thrown.getMessage());
    assertEquals(
        client < 0 ? OptionalInt.empty() : OptionalInt.of(client),
        thrown.client(),
        thrown.getMessage());
    assertTrue(thrown.getMessage().contains(part), thrown.getMessage());
  }
}
