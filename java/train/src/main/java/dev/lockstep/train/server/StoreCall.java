package dev.lockstep.train.server;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * One call of a {@link ParameterStore} as a message: its kind, a name, numbers. Little-endian.
 *
 * @param values of set and accumulate; otherwise none
 */
@SuppressWarnings("ArrayRecordComponent") // goes straight into a message
record StoreCall(Kind kind, String name, float[] values) {
  static final float[] NONE = {};

  /** What is called. */
  enum Kind {
    SET,
    GET,
    ACCUMULATE,
    IS_READY,
    APPLY,
    APPLY_IF_READY,
    CLEAR,
    VERSION,
    NAMES
  }

  /** How a call ended. */
  private enum Outcome {
    DONE,
    ILLEGAL_ARGUMENT,
    ILLEGAL_STATE
  }

  /**
   * @param number of the call, which the answer repeats
   */
  byte[] encode(int number) {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = buffer(1 + 2 * Integer.BYTES + text.length + Float.BYTES * values.length);
    bytes.putInt(number).put((byte) kind.ordinal()).putInt(text.length).put(text);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }

  static StoreCall decode(byte[] message) {
    ByteBuffer bytes = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    bytes.getInt();
    Kind kind = Kind.values()[bytes.get()];
    byte[] text = new byte[bytes.getInt()];
    bytes.get(text);
    return new StoreCall(kind, new String(text, StandardCharsets.UTF_8), floats(bytes));
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static float[] floats(ByteBuffer bytes) {
    float[] all = new float[bytes.remaining() / Float.BYTES];
    for (int i = 0; i < all.length; i++) {
      all[i] = bytes.getFloat();
    }
    return all;
  }

  /** The number of a call, or of the call that is answered. */
  static int number(byte[] message) {
    return ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN).getInt();
  }

  /** Carries out a call; what it throws is part of the answer. */
  static byte[] answer(byte[] call, ParameterStore store) {
    int number = number(call);
    try {
      return answer(number, Outcome.DONE, decode(call).run(store));
    } catch (IllegalArgumentException e) {
      return failed(number, Outcome.ILLEGAL_ARGUMENT, e);
    } catch (IllegalStateException e) {
      return failed(number, Outcome.ILLEGAL_STATE, e);
    } catch (RuntimeException | OutOfMemoryError e) {
      return failed(call, e);
    }
  }

  /** The answer to a call that failed for a reason of the server's own. */
  static byte[] failed(byte[] call, Throwable e) {
    String text = "The parameter server failed: " + e;
    return answer(number(call), Outcome.ILLEGAL_STATE, text.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] failed(int number, Outcome outcome, RuntimeException e) {
    return answer(number, outcome, String.valueOf(e.getMessage()).getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] answer(int number, Outcome outcome, byte[] result) {
    ByteBuffer bytes = buffer(Integer.BYTES + 1 + result.length);
    return bytes.putInt(number).put((byte) outcome.ordinal()).put(result).array();
  }

  private byte[] run(ParameterStore store) {
    switch (kind) {
      case SET -> store.set(name, values);
      case ACCUMULATE -> store.accumulate(name, values);
      case APPLY -> store.apply(name);
      case CLEAR -> store.clear(name);
      case GET -> {
        float[] all = store.get(name);
        ByteBuffer bytes = buffer(Float.BYTES * all.length);
        for (float value : all) {
          bytes.putFloat(value);
        }
        return bytes.array();
      }
      case IS_READY -> {
        return new byte[] {(byte) (store.isReady(name) ? 1 : 0)};
      }
      case APPLY_IF_READY -> {
        return new byte[] {(byte) (store.applyIfReady(name) ? 1 : 0)};
      }
      case VERSION -> {
        return buffer(Long.BYTES).putLong(store.version(name)).array();
      }
      case NAMES -> {
        List<byte[]> names = new ArrayList<>();
        store.names().forEach(each -> names.add(each.getBytes(StandardCharsets.UTF_8)));
        int size = names.stream().mapToInt(text -> Integer.BYTES + text.length).sum();
        ByteBuffer bytes = buffer(size);
        names.forEach(text -> bytes.putInt(text.length).put(text));
        return bytes.array();
      }
    }
    return new byte[0];
  }

  /**
   * The result in an answer.
   *
   * @throws IllegalArgumentException or IllegalStateException if the call did
   */
  static ByteBuffer result(byte[] answer) {
    ByteBuffer bytes = ByteBuffer.wrap(answer).order(ByteOrder.LITTLE_ENDIAN);
    bytes.getInt();
    Outcome outcome = Outcome.values()[bytes.get()];
    if (outcome == Outcome.DONE) {
      return bytes;
    }
    byte[] text = new byte[bytes.remaining()];
    bytes.get(text);
    String message = new String(text, StandardCharsets.UTF_8);
    throw outcome == Outcome.ILLEGAL_ARGUMENT
        ? new IllegalArgumentException(message)
        : new IllegalStateException(message);
  }

  static float[] floatsOf(ByteBuffer result) {
    return floats(result);
  }

  static Set<String> namesOf(ByteBuffer result) {
    Set<String> names = new TreeSet<>();
    while (result.hasRemaining()) {
      byte[] text = new byte[result.getInt()];
      result.get(text);
      names.add(new String(text, StandardCharsets.UTF_8));
    }
    return names;
  }
}
