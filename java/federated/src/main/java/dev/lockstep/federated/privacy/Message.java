package dev.lockstep.federated.privacy;

import dev.lockstep.federated.privacy.SecureAggregationException.Reason;
import java.nio.ByteBuffer;

/**
 * A message of secure aggregation. All integers are big-endian, but words of masked vectors
 * little-endian. The header is: protocol (1 byte), type (1), round (8), sender (4; -1 for the
 * server), number of entries (4).
 *
 * @param body what follows the header
 */
record Message(Type type, long round, int sender, int count, ByteBuffer body) {
  static final int HEADER = 18;
  static final int SERVER = -1;
  private static final byte PROTOCOL = 1;
  private static final int ID = Integer.BYTES;

  /** Kinds of messages, with the lengths of what stands once, and of an entry. */
  enum Type {
    /** Client: its public keys for masks and for shares. */
    KEYS(2 * KeyPair.LENGTH, 0),
    /** Server: (client, its two public keys). */
    DIRECTORY(0, ID + 2 * KeyPair.LENGTH),
    /**
     * Client: the commitment of its seed; (client, commitments of both its shares, both encrypted
     * for it), with zeros in the place of the latter for itself.
     */
    SHARES(Commitment.LENGTH, ID + 2 * Commitment.LENGTH + ShareCipher.LENGTH),
    /** Server: (client, commitments of both of its shares for you, both encrypted for you). */
    ENVELOPES(0, ID + 2 * Commitment.LENGTH + ShareCipher.LENGTH),
    /** Client: words; an entry is a word. */
    MASKED(0, 0),
    /** Server: clients that sent a masked vector. */
    SURVIVORS(0, ID),
    /** Client: (client, 0 for the seed or 1 for the mask key, share). */
    REVEALED(0, ID + 1 + ShamirSharing.LENGTH);

    private final int once;
    private final int entry;

    Type(int once, int entry) {
      this.once = once;
      this.entry = entry;
    }

    /** Length with all clients taking part. */
    long bytes(SecureAggregation settings, int clients) {
      return this == MASKED
          ? HEADER + (long) settings.length() * settings.wordBytes()
          : HEADER + once + (long) entry * entries(clients);
    }

    private int entries(int clients) {
      return switch (this) {
        case KEYS -> 0;
        case ENVELOPES -> clients - 1;
        default -> clients;
      };
    }
  }

  /** A buffer with the header written, as long as the message. */
  static ByteBuffer begin(
      Type type, SecureAggregation settings, long round, int sender, int count) {
    int length =
        type == Type.MASKED ? count * settings.wordBytes() : type.once + count * type.entry;
    return ByteBuffer.allocate(HEADER + length)
        .put(PROTOCOL)
        .put((byte) type.ordinal())
        .putLong(round)
        .putInt(sender)
        .putInt(count);
  }

  /**
   * Takes a message apart that must be of this round and sender, and as long as its header says.
   *
   * @throws SecureAggregationException with {@link Reason#MALFORMED}
   */
  static Message read(byte[] bytes, SecureAggregation settings, long round, int sender) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    if (bytes.length < HEADER) {
      throw malformed(sender, "it has " + bytes.length + " bytes, fewer than its header");
    }
    int protocol = buffer.get();
    int type = buffer.get();
    if (protocol != PROTOCOL || type < 0 || type >= Type.values().length) {
      throw malformed(sender, "it begins with " + protocol + " and " + type);
    }
    Message message =
        new Message(
            Type.values()[type], buffer.getLong(), buffer.getInt(), buffer.getInt(), buffer);
    if (message.round != round || message.sender != sender) {
      throw malformed(sender, "it is of round " + message.round + " and sender " + message.sender);
    }
    int most =
        switch (message.type) {
          case KEYS -> 0;
          case MASKED -> settings.length();
          default -> settings.clients();
        };
    long body =
        message.type == Type.MASKED
            ? (long) message.count * settings.wordBytes()
            : message.type.once + (long) message.count * message.type.entry;
    if (message.count < 0 || message.count > most || buffer.remaining() != body) {
      throw malformed(
          sender, message.count + " entries in " + buffer.remaining() + " bytes do not fit it");
    }
    return message;
  }

  /** An array of the next bytes. */
  byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    body.get(bytes);
    return bytes;
  }

  /**
   * A client's number, greater than the one before: entries are in order, each client once.
   *
   * @throws SecureAggregationException with {@link Reason#MALFORMED}
   */
  int client(int before, SecureAggregation settings) {
    int client = body.getInt();
    if (client <= before || client >= settings.clients()) {
      throw malformed(sender, "client " + client + " follows " + before);
    }
    return client;
  }

  static SecureAggregationException malformed(int sender, String what) {
    String who = sender == SERVER ? "the server" : "client " + sender;
    return new SecureAggregationException(
        Reason.MALFORMED,
        sender,
        "The message of " + who + " is not one of this round and stage: " + what + ".");
  }
}
