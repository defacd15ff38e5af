package dev.lockstep.federated.aggregation;

import dev.lockstep.federated.privacy.SecureAggregation;
import dev.lockstep.federated.privacy.SecureAggregationClient;
import dev.lockstep.federated.privacy.SecureAggregationException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;

/** A change that does not leave its client but in a sum: the client's end. Not thread-safe. */
public final class SealedUpdate implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final SecureEncoding encoding;
  private final SecureEncoding.Terms terms;
  private final int round;
  private final long[] integers;
  private @Nullable SecureAggregationClient client;
  private int stage;

  /**
   * Turns a change into integers.
   *
   * @throws SecureAggregationException for a change that is out of the range
   */
  public SealedUpdate(
      SecureEncoding encoding, SecureEncoding.Terms terms, int round, double[] change) {
    this.encoding = encoding;
    this.terms = terms;
    this.round = round;
    integers = encoding.encode(change, terms);
  }

  public int round() {
    return round;
  }

  /** The server's first message: how many clients there are, and which of them this one is. */
  static byte[] invitation(int clients, int id) {
    return ByteBuffer.allocate(2 * Integer.BYTES).putInt(clients).putInt(id).array();
  }

  /**
   * Answers the server's next message.
   *
   * @throws SecureAggregationException if the message is not one that this client may answer
   * @throws IllegalArgumentException for an invitation that it does not accept
   */
  public byte[] answer(byte[] message) {
    stage++;
    if (client == null) {
      client = accept(message);
      return client.advertise();
    }
    return switch (stage) {
      case 2 -> client.share(message);
      case 3 -> client.mask(message, integers);
      default -> client.reveal(message);
    };
  }

  private SecureAggregationClient accept(byte[] invitation) {
    ByteBuffer buffer = ByteBuffer.wrap(invitation);
    try {
      SecureAggregation settings = encoding.settings(buffer.getInt(), terms);
      return new SecureAggregationClient(settings, round, buffer.getInt(), RANDOM);
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("the invitation is too short", e);
    }
  }

  @Override
  public void close() {
    if (client != null) {
      client.close();
    }
  }
}
