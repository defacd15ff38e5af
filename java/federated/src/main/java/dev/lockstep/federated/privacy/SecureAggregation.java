package dev.lockstep.federated.privacy;

import java.math.BigInteger;

/**
 * What clients and server of secure aggregation agree on beforehand (Bonawitz et al. 2017,
 * "Practical secure aggregation for privacy-preserving machine learning"). Immutable.
 *
 * <p>The server learns the sum of the clients' integers and nothing else about them. A round has
 * four stages; each begins with messages of the server and ends when it closes the stage. Clients
 * may be lost at any, as long as {@code threshold} are left.
 *
 * <table>
 * <caption>Stages of a round</caption>
 * <tr><th>stage</th><th>client sends</th><th>server sends on closing it</th></tr>
 * <tr><td>1</td><td>two public keys of X25519</td><td>the keys of all</td></tr>
 * <tr><td>2</td><td>for each other client, encrypted for it, a Shamir share of its seed and of its
 *     mask key</td><td>each client the shares for it</td></tr>
 * <tr><td>3</td><td>its integers plus masks, modulo {@code 2^modulusBits}</td><td>who sent
 *     some</td></tr>
 * <tr><td>4</td><td>of those its shares of the seed, of the others its shares of the mask key</td>
 * <td></td></tr>
 * </table>
 *
 * <p>A mask is the key stream of ChaCha20. Each pair of clients shares one, which one adds and the
 * other subtracts; one more, from the client's seed, is its own, so that a vector that comes late
 * stays masked although its mask key has been rebuilt. In the sum the server takes off the seeds'
 * masks of those who sent something and the pairs' masks of those who did not.
 *
 * @param clients that take part, numbered from 0; from 2 to 1,024
 * @param threshold clients without which a round fails, and who could together unmask anybody: more
 *     than half, so that a server that tells halves different things learns nothing
 * @param length integers of a client
 * @param modulusBits a multiple of 8 up to 64; integers are sent in as many bits
 * @param maxMagnitude the largest magnitude of a client's integer
 */
public record SecureAggregation(
    int clients, int threshold, int length, int modulusBits, long maxMagnitude) {
  /** The most clients of a sum. */
  public static final int MAX_CLIENTS = 1024;

  /**
   * @throws IllegalArgumentException for numbers out of range; where the modulus cannot hold the
   *     sum of all clients it names the modulus that can
   */
  public SecureAggregation {
    if (clients < 2 || clients > MAX_CLIENTS) {
      throw new IllegalArgumentException(
          "clients must be from 2 to " + MAX_CLIENTS + ", not " + clients);
    }
    if (threshold <= clients / 2 || threshold > clients) {
      throw new IllegalArgumentException(
          "threshold must be from "
              + (clients / 2 + 1)
              + " to "
              + clients
              + ", of "
              + clients
              + " clients, not "
              + threshold);
    }
    if (maxMagnitude < 1) {
      throw new IllegalArgumentException("maxMagnitude must be at least 1, not " + maxMagnitude);
    }
    int needed = neededBits(clients, maxMagnitude);
    if (modulusBits < 8 || modulusBits > Long.SIZE || modulusBits % 8 != 0) {
      throw new IllegalArgumentException(
          "modulusBits must be a multiple of 8 up to 64, not "
              + modulusBits
              + "; the sum needs "
              + needed);
    }
    if (modulusBits < needed) {
      throw new IllegalArgumentException(
          "The sum of "
              + clients
              + " clients' integers of up to "
              + maxMagnitude
              + " needs a modulus of "
              + needed
              + " bits; modulusBits is "
              + modulusBits
              + ". Raise it, or take fewer fraction bits, a smaller range or smaller weights.");
    }
    long bytes = Message.HEADER + (long) length * (modulusBits / 8);
    if (length < 1 || bytes > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "length must be at least 1 and fit into a message of 2 GiB, not " + length);
    }
  }

  /**
   * With a threshold of two thirds, and the smallest modulus of whole bytes that holds the sum.
   *
   * @throws IllegalArgumentException for numbers out of range, or a sum that 64 bits do not hold
   */
  public static SecureAggregation of(int clients, int length, long maxMagnitude) {
    int threshold = Math.max(clients / 2 + 1, (2 * clients + 2) / 3);
    int bits = Math.min(Long.SIZE, (neededBits(clients, maxMagnitude) + 7) / 8 * 8);
    return new SecureAggregation(clients, threshold, length, bits, maxMagnitude);
  }

  /** The same with another threshold. */
  public SecureAggregation withThreshold(int number) {
    return new SecureAggregation(clients, number, length, modulusBits, maxMagnitude);
  }

  /** Bits of a two's complement integer that holds plus and minus the largest sum. */
  private static int neededBits(int clients, long maxMagnitude) {
    return BigInteger.valueOf(clients).multiply(BigInteger.valueOf(maxMagnitude)).bitLength() + 1;
  }

  /**
   * Checks a client's integers.
   *
   * @throws IllegalArgumentException for another number of them
   * @throws SecureAggregationException for one that the modulus would not hold in the sum
   */
  void check(int client, long[] integers) {
    if (integers.length != length) {
      throw new IllegalArgumentException("integers must be " + length + ", not " + integers.length);
    }
    for (int i = 0; i < integers.length; i++) {
      if (integers[i] > maxMagnitude || integers[i] < -maxMagnitude) {
        throw new SecureAggregationException(
            SecureAggregationException.Reason.OUT_OF_RANGE,
            client,
            "The integer "
                + integers[i]
                + " at index "
                + i
                + " of client "
                + client
                + " exceeds ±"
                + maxMagnitude
                + "; the modulus would not hold the sum.");
      }
    }
  }

  /** Bytes of a masked integer. */
  int wordBytes() {
    return modulusBits / 8;
  }

  /** What a client sends in a round in which nobody is lost, in bytes. */
  public long bytesSent() {
    return Message.Type.KEYS.bytes(this, clients)
        + Message.Type.SHARES.bytes(this, clients)
        + Message.Type.MASKED.bytes(this, clients)
        + Message.Type.REVEALED.bytes(this, clients);
  }

  /** What a client receives in a round in which nobody is lost, in bytes, besides the model. */
  public long bytesReceived() {
    return Message.Type.DIRECTORY.bytes(this, clients)
        + Message.Type.ENVELOPES.bytes(this, clients)
        + Message.Type.SURVIVORS.bytes(this, clients);
  }
}
