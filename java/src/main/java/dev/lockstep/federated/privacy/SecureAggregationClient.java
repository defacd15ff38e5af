package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import dev.lockstep.federated.privacy.SecureAggregationException.Reason;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A client in one round of {@link SecureAggregation}: its four methods are called in order, each
 * with what the server sent and returning what is to be sent to it. After any error the client's
 * round is over. Not thread-safe.
 *
 * <p>It never reveals both kinds of shares of one client: it answers {@link #reveal} once, with one
 * share of each.
 */
public final class SecureAggregationClient implements AutoCloseable {
  /** What another client has sent. */
  private static final class Peer {
    final byte[] maskPublicKey;
    final byte[] sharePublicKey;
    byte[] shareKey = {};
    byte[] seedShare = {};
    byte[] maskKeyShare = {};

    Peer(byte[] maskPublicKey, byte[] sharePublicKey) {
      this.maskPublicKey = maskPublicKey;
      this.sharePublicKey = sharePublicKey;
    }
  }

  private enum Next {
    ADVERTISE,
    SHARE,
    MASK,
    REVEAL,
    NOTHING
  }

  private final SecureAggregation settings;
  private final long round;
  private final int id;
  private final SecureRandom random;
  private final KeyPair maskKeys;
  private final KeyPair shareKeys;
  private final byte[] seed = new byte[KeyPair.LENGTH];
  private final TreeMap<Integer, Peer> peers = new TreeMap<>();
  private Next next = Next.ADVERTISE;

  /**
   * @param settings the same at all clients and the server
   * @param round a number that is never used again with other clients' keys
   * @param id from 0, below the number of clients
   * @param random from which keys, seed and shares are drawn
   */
  public SecureAggregationClient(
      SecureAggregation settings, long round, int id, SecureRandom random) {
    this.settings = requireNonNull(settings, "settings");
    this.round = round;
    this.random = requireNonNull(random, "random");
    if (id < 0 || id >= settings.clients()) {
      throw new IllegalArgumentException(
          "id must be from 0 to " + (settings.clients() - 1) + ", not " + id);
    }
    this.id = id;
    maskKeys = KeyPair.generate(random);
    shareKeys = KeyPair.generate(random);
    random.nextBytes(seed);
  }

  /** Stage 1: the public keys. */
  public byte[] advertise() {
    enter(Next.ADVERTISE);
    next = Next.SHARE;
    return begin(Message.Type.KEYS, 0).put(maskKeys.publicKey()).put(shareKeys.publicKey()).array();
  }

  /**
   * Stage 2: shares of the seed and of the mask key for all clients that advertised keys.
   *
   * @param directory what the server sent on closing stage 1
   * @throws SecureAggregationException for a directory that lacks this client or clients enough
   */
  public byte[] share(byte[] directory) {
    requireNonNull(directory, "directory");
    enter(Next.SHARE);
    Message message = read(directory, Message.Type.DIRECTORY);
    for (int i = 0, before = -1; i < message.count(); i++) {
      before = message.client(before, settings);
      peers.put(before, new Peer(message.bytes(KeyPair.LENGTH), message.bytes(KeyPair.LENGTH)));
    }
    Peer self = peers.get(id);
    if (self == null
        || !Arrays.equals(self.maskPublicKey, maskKeys.publicKey())
        || !Arrays.equals(self.sharePublicKey, shareKeys.publicKey())) {
      throw refused("The directory lacks this client's keys, or has others in their place.");
    }
    checkEnough(peers.size());
    ShamirSharing seedShares = new ShamirSharing(seed, settings.threshold(), random);
    ShamirSharing maskKeyShares =
        new ShamirSharing(maskKeys.privateKey(), settings.threshold(), random);
    ByteBuffer answer = begin(Message.Type.SHARES, peers.size()).put(Commitment.to(seed));
    peers.forEach(
        (client, peer) -> {
          byte[] seedShare = seedShares.share(client);
          byte[] maskKeyShare = maskKeyShares.share(client);
          answer.putInt(client).put(Commitment.to(seedShare)).put(Commitment.to(maskKeyShare));
          if (client == id) {
            peer.seedShare = seedShare;
            peer.maskKeyShare = maskKeyShare;
            answer.put(new byte[ShareCipher.LENGTH]);
          } else {
            byte[] both =
                ByteBuffer.allocate(2 * ShamirSharing.LENGTH)
                    .put(seedShare)
                    .put(maskKeyShare)
                    .array();
            peer.shareKey = shareKey(client, peer);
            answer.put(ShareCipher.encrypt(peer.shareKey, round, id, client, both));
          }
        });
    next = Next.MASK;
    return answer.array();
  }

  private byte[] shareKey(int client, Peer peer) {
    return shareKeys
        .keyWith(peer.sharePublicKey, "shares", round)
        .orElseThrow(() -> badKey(client));
  }

  private static SecureAggregationException badKey(int client) {
    return new SecureAggregationException(
        Reason.MALFORMED,
        client,
        "The public key of client " + client + " has small order; start again without it.");
  }

  /**
   * Stage 3: the integers with masks.
   *
   * @param envelopes what the server sent on closing stage 2
   * @param integers this client's, as many as agreed and none above the agreed magnitude
   * @throws SecureAggregationException for shares that are not what their client encrypted, naming
   *     it, or integers out of range
   */
  public byte[] mask(byte[] envelopes, long[] integers) {
    requireNonNull(envelopes, "envelopes");
    requireNonNull(integers, "integers");
    enter(Next.MASK);
    settings.check(id, integers);
    open(read(envelopes, Message.Type.ENVELOPES));
    int wordBytes = settings.wordBytes();
    long[] words = integers.clone();
    Masks.add(words, seed.clone(), false, wordBytes);
    peers.forEach(
        (client, peer) -> {
          if (client != id) {
            byte[] key =
                maskKeys
                    .keyWith(peer.maskPublicKey, "mask", round)
                    .orElseThrow(() -> badKey(client));
            Masks.add(words, key, client < id, wordBytes);
          }
        });
    ByteBuffer answer = begin(Message.Type.MASKED, words.length);
    Masks.put(answer, words, wordBytes);
    next = Next.REVEAL;
    return answer.array();
  }

  /** Keeps the shares of those who sent some; the others are no longer of this round. */
  private void open(Message message) {
    TreeSet<Integer> senders = new TreeSet<>(List.of(id));
    for (int i = 0, before = -1; i < message.count(); i++) {
      before = message.client(before, settings);
      Peer peer = peers.get(before);
      if (peer == null || before == id) {
        throw Message.malformed(
            Message.SERVER, "client " + before + " has no keys in the directory");
      }
      byte[] seedCommitment = message.bytes(Commitment.LENGTH);
      byte[] maskKeyCommitment = message.bytes(Commitment.LENGTH);
      int sender = before;
      byte[] shares =
          ShareCipher.decrypt(peer.shareKey, round, sender, id, message.bytes(ShareCipher.LENGTH))
              .orElseThrow(() -> tampered(sender, "were changed on their way"));
      peer.seedShare = Arrays.copyOf(shares, ShamirSharing.LENGTH);
      peer.maskKeyShare = Arrays.copyOfRange(shares, ShamirSharing.LENGTH, shares.length);
      if (!Commitment.fits(seedCommitment, peer.seedShare)
          || !Commitment.fits(maskKeyCommitment, peer.maskKeyShare)) {
        throw tampered(sender, "do not fit its commitments");
      }
      senders.add(sender);
    }
    peers.keySet().retainAll(senders);
    checkEnough(peers.size());
  }

  private static SecureAggregationException tampered(int sender, String what) {
    return new SecureAggregationException(
        Reason.TAMPERED,
        sender,
        "The shares of client " + sender + " " + what + "; start again without it.");
  }

  /**
   * Stage 4: of each client that sent masked integers the share of its seed, of each other the
   * share of its mask key.
   *
   * @param survivors what the server sent on closing stage 3
   * @throws SecureAggregationException with {@link Reason#REFUSED} for survivors that lack this
   *     client or are no clients of this round, with {@link Reason#BELOW_THRESHOLD} for too few
   */
  public byte[] reveal(byte[] survivors) {
    requireNonNull(survivors, "survivors");
    enter(Next.REVEAL);
    Message message = read(survivors, Message.Type.SURVIVORS);
    List<Integer> alive = new ArrayList<>();
    for (int i = 0, before = -1; i < message.count(); i++) {
      before = message.client(before, settings);
      alive.add(before);
    }
    if (!peers.keySet().containsAll(alive)) {
      throw refused("The survivors are not all among those whose shares this client has.");
    }
    if (!alive.contains(id)) {
      throw refused("The server counts this client as lost although it sent masked integers.");
    }
    checkEnough(alive.size());
    ByteBuffer answer = begin(Message.Type.REVEALED, peers.size());
    peers.forEach(
        (client, peer) -> {
          boolean isAlive = alive.contains(client);
          answer
              .putInt(client)
              .put((byte) (isAlive ? 0 : 1))
              .put(isAlive ? peer.seedShare : peer.maskKeyShare);
        });
    close();
    return answer.array();
  }

  /** The next stage cannot begin again: if this one fails, none follows. */
  private void enter(Next stage) {
    if (next != stage) {
      throw new SecureAggregationException(
          next == Next.NOTHING || next.compareTo(stage) > 0 ? Reason.REFUSED : Reason.EARLY,
          id,
          "Client " + id + " was asked for stage " + stage + " where it is at " + next + ".");
    }
    next = Next.NOTHING;
  }

  private ByteBuffer begin(Message.Type type, int count) {
    return Message.begin(type, settings, round, id, count);
  }

  private Message read(byte[] bytes, Message.Type type) {
    Message message = Message.read(bytes, settings, round, Message.SERVER);
    if (message.type() != type) {
      throw Message.malformed(Message.SERVER, "it is " + message.type() + ", not " + type);
    }
    return message;
  }

  private void checkEnough(int clients) {
    if (clients < settings.threshold()) {
      throw new SecureAggregationException(
          Reason.BELOW_THRESHOLD,
          "Client "
              + id
              + " goes on with no fewer than "
              + settings.threshold()
              + " clients; "
              + clients
              + " are left.");
    }
  }

  private static SecureAggregationException refused(String why) {
    return new SecureAggregationException(Reason.REFUSED, why);
  }

  /** Overwrites the secrets; they are also unusable after the last stage. */
  @Override
  public void close() {
    next = Next.NOTHING;
    maskKeys.close();
    shareKeys.close();
    Arrays.fill(seed, (byte) 0);
  }
}
