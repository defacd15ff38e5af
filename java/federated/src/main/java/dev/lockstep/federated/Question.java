package dev.lockstep.federated;

import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/** What clients are asked, and who has not answered yet. Not thread-safe. */
final class Question {
  /** Hears of answers. */
  interface Answer {
    /**
     * Takes an answer.
     *
     * @param body behind the round
     * @throws ProtocolException if it is none
     */
    void take(int client, ByteBuffer body) throws ProtocolException;
  }

  /** What one client is asked. */
  private static final class Part {
    private final int round;
    private final Supplier<ByteBuffer[]> message;

    /** Whether it was there when it was asked, so that an answer is waited for. */
    private boolean owed;

    private final long since = System.nanoTime();

    Part(int round, Supplier<ByteBuffer[]> message) {
      this.round = round;
      this.message = message;
    }
  }

  private final int kind;
  private final int answerKind;
  private final Answer answer;
  private final Map<Integer, Part> parts = new TreeMap<>();

  /**
   * @param kind of the message
   * @param answerKind of what is to come back
   */
  Question(int kind, int answerKind, Answer answer) {
    this.kind = kind;
    this.answerKind = answerKind;
    this.answer = answer;
  }

  int kind() {
    return kind;
  }

  int answerKind() {
    return answerKind;
  }

  /**
   * Asks a client, too.
   *
   * @param round that its answer names
   * @param message made whenever it is sent: again to a client that comes back
   */
  void to(int client, int round, Supplier<ByteBuffer[]> message) {
    parts.put(client, new Part(round, message));
  }

  /** Those that have not answered, connected or not, ascending. */
  List<Integer> clients() {
    return List.copyOf(parts.keySet());
  }

  boolean asks(int client) {
    return parts.containsKey(client);
  }

  /** The round for which a client that is asked shall answer. */
  boolean isFor(int client, int round) {
    Part part = parts.get(client);
    return part != null && part.round == round;
  }

  ByteBuffer[] message(int client) {
    return part(client).message.get();
  }

  private Part part(int client) {
    Part part = parts.get(client);
    if (part == null) {
      throw new IllegalArgumentException("client " + client + " is not asked");
    }
    return part;
  }

  /** The message has gone out to a client that is connected. */
  void sent(int client) {
    part(client).owed = true;
  }

  /** Those that have been sent it and owe an answer, ascending. */
  List<Integer> owing() {
    return parts.entrySet().stream()
        .filter(entry -> entry.getValue().owed)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Nanoseconds since it was made for a client, however often it has been sent. */
  long age(int client) {
    return System.nanoTime() - part(client).since;
  }

  /** Waits for this client no more. */
  void remove(int client) {
    parts.remove(client);
  }

  /** A client has answered. */
  void answered(int client, ByteBuffer body) throws ProtocolException {
    parts.remove(client);
    answer.take(client, body);
  }
}
