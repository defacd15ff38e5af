package dev.lockstep.federated;

import dev.lockstep.federated.Clients.Work;
import dev.lockstep.federated.aggregation.SecureEncoding;
import dev.lockstep.federated.client.ClientUpdate;
import dev.lockstep.federated.client.ParameterVector;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * What server and clients say to one another once they are connected. All numbers are big-endian; a
 * model is a row of float32, or of float64 where its types need that.
 */
final class Protocol {
  /**
   * Server: round (4), seed (8), what comes with it (1): {@link #PLAIN} and so on, terms of secure
   * aggregation (weight (8), largest weight (8), norm (8)), model, correction.
   */
  static final int WORK = 1;

  /** Client: round (4), loss (8), whether all was finite (1), model; none under such terms. */
  static final int TRAINED = 2;

  /** Server: round (4), model. */
  static final int ASK_LOSS = 3;

  /** Client: round (4), loss (8). */
  static final int LOSS = 4;

  /** Client: round (4), why it cannot do what it was asked (UTF-8). */
  static final int UNABLE = 5;

  /** Server: the final model. */
  static final int END = 6;

  /** Server and client: round (4), a message of secure aggregation. */
  static final int SEALED = 7;

  /** Client: nothing; it has the final model. */
  static final int ENDED = 8;

  /** Behind a work's seed. */
  static final int PLAIN = 0;

  static final int CORRECTED = 1;
  static final int ON_TERMS = 2;

  /** The most that keys and shares of the most clients need. */
  private static final int SHARES = 1 << 18;

  /** Bytes of a message besides its model and correction, and more than that. */
  static final int SLACK = 1024;

  private final int length;
  private final boolean wide;

  /** For models of that length and types. */
  Protocol(ParameterVector vector) {
    length = vector.length();
    wide = !vector.isFloat32();
  }

  int vectorBytes() {
    return bytesOf(length);
  }

  /** Of so many numbers. */
  int bytesOf(int count) {
    return Math.multiplyExact(count, wide ? Double.BYTES : Float.BYTES);
  }

  /** The most that a message of either end has. */
  int mostBytes() {
    return Math.addExact(SLACK + SHARES, Math.multiplyExact(2, vectorBytes()));
  }

  ByteBuffer write(double[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(bytesOf(values.length));
    for (double value : values) {
      if (wide) {
        bytes.putDouble(value);
      } else {
        bytes.putFloat((float) value);
      }
    }
    return bytes.flip();
  }

  /**
   * The next numbers of a message.
   *
   * @throws ProtocolException if it has fewer
   */
  double[] read(ByteBuffer bytes, int count) throws ProtocolException {
    long needed = (long) count * (wide ? Double.BYTES : Float.BYTES);
    if (bytes.remaining() < needed) {
      throw new ProtocolException(
          "it has " + bytes.remaining() + " bytes of numbers where " + needed + " are due");
    }
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = wide ? bytes.getDouble() : bytes.getFloat();
    }
    return values;
  }

  /**
   * A whole model, with which the message must end.
   *
   * @throws ProtocolException for any other length
   */
  double[] readLast(ByteBuffer bytes) throws ProtocolException {
    if (bytes.remaining() != vectorBytes()) {
      throw new ProtocolException(
          "its model has " + bytes.remaining() + " bytes where " + vectorBytes() + " are due");
    }
    return read(bytes, length);
  }

  /** The server's own model, as clients read it. */
  double[] rounded(ByteBuffer model) {
    try {
      return readLast(model.duplicate());
    } catch (ProtocolException e) {
      throw new IllegalStateException("The server's own model has another length.", e);
    }
  }

  /** The parts of a message that begins with a round. */
  static ByteBuffer[] message(int round, ByteBuffer... parts) {
    ByteBuffer[] all = new ByteBuffer[parts.length + 1];
    all[0] = ByteBuffer.allocate(Integer.BYTES).putInt(round).flip();
    System.arraycopy(parts, 0, all, 1, parts.length);
    return all;
  }

  /**
   * The parts of a message of kind {@link #WORK}.
   *
   * @param model that the client begins with
   */
  ByteBuffer[] work(int round, ByteBuffer model, Work work) {
    ByteBuffer head = ByteBuffer.allocate(SLACK).putLong(work.seed());
    double[] correction = work.correction();
    if (correction != null) {
      head.put((byte) CORRECTED).flip();
      return message(round, head, model, write(correction));
    }
    SecureEncoding.Terms terms = work.terms();
    if (terms != null) {
      head.put((byte) ON_TERMS)
          .putLong(terms.weight())
          .putLong(terms.mostWeight())
          .putDouble(terms.clipNorm())
          .flip();
      return message(round, head, model);
    }
    return message(round, head.put((byte) PLAIN).flip(), model);
  }

  /**
   * Reads a message of kind {@link #TRAINED}.
   *
   * @param body behind the round
   * @param begun the model that the client began with
   * @param samples that it had
   * @param sealed whether it keeps its change
   * @throws ProtocolException if it is none
   */
  ClientUpdate trained(ByteBuffer body, double[] begun, int samples, int steps, boolean sealed)
      throws ProtocolException {
    double loss = body.getDouble();
    boolean finite = body.get() == 1;
    if (sealed) {
      if (body.hasRemaining()) {
        throw new ProtocolException("it sent its model where its sum with others is wanted");
      }
      return new ClientUpdate(samples, steps, loss, new double[0], finite && Double.isFinite(loss));
    }
    return ClientUpdate.of(samples, steps, loss, finite, readLast(body), begun);
  }

  /** Why a client cannot, in one short line whatever it sent. */
  static String reason(ByteBuffer body) {
    String text = StandardCharsets.UTF_8.decode(body).toString();
    return text.replaceAll("[\\p{Cntrl}]", " ").substring(0, Math.min(200, text.length()));
  }
}
