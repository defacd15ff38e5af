package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import dev.lockstep.federated.privacy.SecureAggregationException.Reason;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;

/**
 * The server in one round of {@link SecureAggregation}: it receives messages of clients in any
 * order, and whoever runs it closes a stage once all have answered or its deadline has passed.
 * Refused messages change nothing. Not thread-safe.
 */
public final class SecureAggregationServer {
  /** What clients send in a stage. */
  public enum Stage {
    /** Public keys. */
    ADVERTISE,
    /** Encrypted shares. */
    SHARE,
    /** Masked integers. */
    MASK,
    /** Shares for unmasking. */
    REVEAL,
    /** Nothing any more. */
    DONE
  }

  private final SecureAggregation settings;
  private final long round;
  private final long[] sum;
  private Stage stage = Stage.ADVERTISE;

  /** Those who have answered in every stage before, with stage 2 as the last to leave some out. */
  private final TreeMap<Integer, Member> members = new TreeMap<>();

  /** Those who have answered in the present stage. */
  private TreeMap<Integer, Member> answered = new TreeMap<>();

  private TreeMap<Integer, Member> survivors = new TreeMap<>();

  /**
   * @param settings the same at all clients
   * @param round as at all clients
   */
  public SecureAggregationServer(SecureAggregation settings, long round) {
    this.settings = requireNonNull(settings, "settings");
    this.round = round;
    sum = new long[settings.length()];
  }

  /** What is waited for. */
  public Stage stage() {
    return stage;
  }

  /** How many clients have answered in this stage. */
  public int answered() {
    return answered.size();
  }

  /** How many clients may answer in this stage. */
  public int expected() {
    return switch (stage) {
      case ADVERTISE -> settings.clients();
      case SHARE, MASK -> members.size();
      case REVEAL -> survivors.size();
      case DONE -> 0;
    };
  }

  /**
   * Takes a client's message of this stage.
   *
   * @param client who sent it, as the connection says
   * @param bytes what it sent; not kept
   * @throws SecureAggregationException naming the client, where the message is refused; the round
   *     may go on, with or without the client
   */
  public void receive(int client, byte[] bytes) {
    requireNonNull(bytes, "bytes");
    if (client < 0 || client >= settings.clients()) {
      throw new SecureAggregationException(
          Reason.MALFORMED,
          client,
          "There is no client " + client + " among " + settings.clients() + ".");
    }
    Message message = Message.read(bytes, settings, round, client);
    Stage of =
        switch (message.type()) {
          case KEYS -> Stage.ADVERTISE;
          case SHARES -> Stage.SHARE;
          case MASKED -> Stage.MASK;
          case REVEALED -> Stage.REVEAL;
          case DIRECTORY, ENVELOPES, SURVIVORS ->
              throw Message.malformed(client, message.type() + " comes from the server alone");
        };
    if (of != stage) {
      throw wrongStage(client, of);
    }
    if (answered.containsKey(client)) {
      throw new SecureAggregationException(
          Reason.DUPLICATE, client, "Client " + client + " sent a second message for " + of + ".");
    }
    answered.put(client, accept(message));
  }

  private SecureAggregationException wrongStage(int client, Stage of) {
    boolean late = of.compareTo(stage) < 0;
    String what =
        late && of == Stage.MASK
            ? " came after the survivors were told: its mask key may be known, so adding it could"
                + " unmask it"
            : " came while the round is at " + stage;
    return new SecureAggregationException(
        late ? Reason.LATE : Reason.EARLY,
        client,
        "The message of client " + client + " for " + of + what + ".");
  }

  private Member accept(Message message) {
    int client = message.sender();
    if (stage == Stage.ADVERTISE) {
      Member member = new Member(message.bytes(KeyPair.LENGTH), message.bytes(KeyPair.LENGTH));
      if (!KeyPair.isUsable(member.maskPublicKey) || !KeyPair.isUsable(member.sharePublicKey)) {
        throw Message.malformed(client, "a public key has small order");
      }
      return member;
    }
    Member member = stage == Stage.REVEAL ? survivors.get(client) : members.get(client);
    if (member == null) {
      throw new SecureAggregationException(
          Reason.LATE, client, "Client " + client + " missed a stage before; it is out.");
    }
    switch (stage) {
      case SHARE -> acceptShares(message, member);
      case MASK -> {
        if (message.count() != settings.length()) {
          throw Message.malformed(client, "it has " + message.count() + " integers");
        }
        Masks.addFrom(message.body(), sum, settings.wordBytes());
      }
      default -> acceptRevealed(message);
    }
    return member;
  }

  private void acceptShares(Message message, Member member) {
    byte[] seedCommitment = message.bytes(Commitment.LENGTH);
    Map<Integer, byte[][]> shares = new TreeMap<>();
    for (int i = 0, before = -1; i < message.count(); i++) {
      before = message.client(before, settings);
      shares.put(
          before,
          new byte[][] {
            message.bytes(Commitment.LENGTH),
            message.bytes(Commitment.LENGTH),
            message.bytes(ShareCipher.LENGTH)
          });
    }
    if (!shares.keySet().equals(members.keySet())) {
      throw Message.malformed(message.sender(), "its shares are not for all that have keys");
    }
    member.seedCommitment = seedCommitment;
    member.shares.putAll(shares);
  }

  private void acceptRevealed(Message message) {
    int from = message.sender();
    Map<Integer, byte[]> shares = new TreeMap<>();
    for (int i = 0, before = -1; i < message.count(); i++) {
      before = message.client(before, settings);
      int kind = message.body().get();
      byte[] share = message.bytes(ShamirSharing.LENGTH);
      Member owner = members.get(before);
      if (owner == null || kind != (survivors.containsKey(before) ? 0 : 1)) {
        throw Message.malformed(from, "its share of client " + before + " is not the one due");
      }
      byte[][] dealt = owner.shares.get(from);
      if (dealt == null || !Commitment.fits(dealt[kind], share)) {
        throw new SecureAggregationException(
            Reason.WRONG_SHARE,
            from,
            "Client " + from + " revealed a wrong share of client " + before + ".");
      }
      shares.put(before, share);
    }
    if (!shares.keySet().equals(members.keySet())) {
      throw Message.malformed(from, "it lacks shares of some clients");
    }
    shares.forEach((owner, share) -> requireNonNull(members.get(owner)).revealed.put(from, share));
  }

  /**
   * Ends one of the first three stages: messages for it are late from now on.
   *
   * @return what is to be sent to each client that has answered
   * @throws SecureAggregationException with {@link Reason#BELOW_THRESHOLD} where too few have; the
   *     round is over, and nothing but public keys and masked integers is known of anybody
   */
  public Map<Integer, byte[]> closeStage() {
    if (stage.compareTo(Stage.REVEAL) >= 0) {
      throw new IllegalStateException(
          "Stage " + stage + " is closed by sum(), not by closeStage().");
    }
    checkEnough();
    TreeMap<Integer, Member> present = answered;
    answered = new TreeMap<>();
    Map<Integer, byte[]> messages = new TreeMap<>();
    switch (stage) {
      case ADVERTISE -> {
        members.putAll(present);
        stage = Stage.SHARE;
        byte[] directory = directory();
        present.keySet().forEach(client -> messages.put(client, directory));
      }
      case SHARE -> {
        members.keySet().retainAll(present.keySet());
        stage = Stage.MASK;
        present.keySet().forEach(client -> messages.put(client, envelopes(client)));
      }
      default -> {
        survivors = present;
        stage = Stage.REVEAL;
        ByteBuffer buffer = begin(Message.Type.SURVIVORS, survivors.size());
        survivors.keySet().forEach(buffer::putInt);
        present.keySet().forEach(client -> messages.put(client, buffer.array()));
      }
    }
    return messages;
  }

  private void checkEnough() {
    int present = answered.size();
    if (present < settings.threshold()) {
      Stage failed = stage;
      stage = Stage.DONE;
      throw new SecureAggregationException(
          Reason.BELOW_THRESHOLD,
          "Round "
              + round
              + " of secure aggregation has no sum: "
              + present
              + " of "
              + settings.clients()
              + " clients answered at stage "
              + failed
              + ", and the threshold is "
              + settings.threshold()
              + ".");
    }
  }

  private byte[] directory() {
    ByteBuffer buffer = begin(Message.Type.DIRECTORY, members.size());
    members.forEach(
        (client, member) ->
            buffer.putInt(client).put(member.maskPublicKey).put(member.sharePublicKey));
    return buffer.array();
  }

  private byte[] envelopes(int receiver) {
    ByteBuffer buffer = begin(Message.Type.ENVELOPES, members.size() - 1);
    members.forEach(
        (client, member) -> {
          if (client != receiver) {
            buffer.putInt(client);
            for (byte[] part : requireNonNull(member.shares.get(receiver))) {
              buffer.put(part);
            }
          }
        });
    return buffer.array();
  }

  private ByteBuffer begin(Message.Type type, int count) {
    return Message.begin(type, settings, round, Message.SERVER, count);
  }

  /**
   * Ends the last stage and takes off the masks.
   *
   * @return the sum of the integers of all clients that sent some
   * @throws SecureAggregationException with {@link Reason#BELOW_THRESHOLD} where too few clients
   *     revealed shares, with {@link Reason#WRONG_SHARE} naming a client whose shares, dealt in
   *     stage 2, were not of its secret
   */
  public long[] sum() {
    if (stage != Stage.REVEAL) {
      throw new IllegalStateException("There is no sum at stage " + stage + ".");
    }
    checkEnough();
    stage = Stage.DONE;
    new Unmasking(settings, round, members, survivors.keySet()).apply(sum);
    Masks.toSigned(sum, settings.wordBytes());
    return sum;
  }
}
