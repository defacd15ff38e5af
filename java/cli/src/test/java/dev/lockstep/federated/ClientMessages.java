package dev.lockstep.federated;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.lockstep.federated.network.Frame;
import java.nio.ByteBuffer;

/** What a client says to its server, made by hand; of models of float32. */
final class ClientMessages {
  /** More than any message of these tests has. */
  static final int MOST_BYTES = 1 << 20;

  /** Round, seed and what comes with it, before a work's model. */
  private static final int WORK_HEAD = Integer.BYTES + Long.BYTES + 1;

  private ClientMessages() {}

  /** The round of a message of the server, from 0. */
  static int round(Frame asked) {
    return asked.body().getInt(0);
  }

  /** How many numbers a plain work's model has. */
  static int numbers(Frame work) {
    return (work.body().limit() - WORK_HEAD) / Float.BYTES;
  }

  /** The model of a plain work. */
  static ByteBuffer model(Frame work) {
    return work.body().duplicate().position(WORK_HEAD).slice();
  }

  /** A loss of one half, and a model. */
  static ByteBuffer trained(int round, ByteBuffer model) {
    return ByteBuffer.allocate(Integer.BYTES + Double.BYTES + 1 + model.remaining())
        .putInt(round)
        .putDouble(0.5)
        .put((byte) 1)
        .put(model.duplicate())
        .flip();
  }

  /** As the other, with all numbers alike. */
  static ByteBuffer trained(int round, int numbers, float value) {
    ByteBuffer model = ByteBuffer.allocate(numbers * Float.BYTES);
    while (model.hasRemaining()) {
      model.putFloat(value);
    }
    return trained(round, model.flip());
  }

  /** The answer to a plain work of a client whose training has changed nothing. */
  static ByteBuffer unchanged(Frame work) {
    return trained(round(work), model(work));
  }

  static ByteBuffer unable(int round, String why) {
    byte[] text = why.getBytes(UTF_8);
    return ByteBuffer.allocate(Integer.BYTES + text.length).putInt(round).put(text).flip();
  }

  static ByteBuffer loss(int round, double loss) {
    return ByteBuffer.allocate(Integer.BYTES + Double.BYTES).putInt(round).putDouble(loss).flip();
  }
}
