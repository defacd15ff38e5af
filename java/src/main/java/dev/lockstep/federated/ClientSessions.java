package dev.lockstep.federated;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.network.ClientConnections;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.RefusedException;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who of the clients is connected, what they are asked at present, and who still owes an answer.
 * One question is open at a time. What a client must not send costs it the connection and the
 * question, and nobody else anything. One thread.
 */
final class ClientSessions implements ClientConnections.Handler, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ClientSessions.class);
  private static final Duration A_MOMENT = Duration.ofMillis(100);

  private final FederationPlan plan;
  private final Dataset dataset;
  private final NetworkConfig network;
  private final byte[] welcome;
  private final BooleanSupplier stop;
  private final ClientConnections connections;
  private final int[] samples;

  /** The newest {@linkplain #turn turn} in which each client has answered. */
  private final long[] newestAnswer;

  private @Nullable Question open;

  /** What is asked of clients in a round. */
  static final class Question {
    private final int round;
    private final int kind;
    private final int answerKind;
    private final Answer answer;

    /** To those that have not answered yet; made when they are sent. */
    private final Map<Integer, Supplier<ByteBuffer[]>> messages = new TreeMap<>();

    /** Those that were connected when they were asked. */
    private final TreeSet<Integer> owing = new TreeSet<>();

    /**
     * @param kind of the message
     * @param answerKind of what is to come back
     */
    Question(int round, int kind, int answerKind, Answer answer) {
      this.round = round;
      this.kind = kind;
      this.answerKind = answerKind;
      this.answer = answer;
    }

    /** Asks a client, too. */
    void to(int client, Supplier<ByteBuffer[]> message) {
      messages.put(client, message);
    }
  }

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

  /**
   * Listens.
   *
   * @param mostBytes of a message
   * @param welcome what clients are told on joining
   * @param stop whether to end waiting
   * @throws CommunicationException if the address cannot be had
   */
  ClientSessions(
      FederationPlan plan,
      Dataset dataset,
      byte[] token,
      int mostBytes,
      byte[] welcome,
      BooleanSupplier stop) {
    this.plan = plan;
    this.dataset = dataset;
    this.welcome = welcome;
    this.stop = stop;
    network = plan.network();
    samples = new int[plan.federation().clients()];
    Arrays.fill(samples, 1);
    newestAnswer = new long[samples.length];
    Arrays.fill(newestAnswer, -1);
    try {
      connections = new ClientConnections(network.socketAddress(), token, mostBytes, this);
      log.info("Listening for {} clients at {}.", samples.length, connections.address());
    } catch (IOException e) {
      throw failed("The server cannot listen at " + network.address(), e);
    }
  }

  private static CommunicationException failed(String what, IOException cause) {
    return new CommunicationException(
        what + " (" + cause.getMessage() + ").", CommunicationException.NO_RANK, cause);
  }

  /** How many clients may join. */
  int count() {
    return samples.length;
  }

  /** Samples that a client has; 1 of one that has not said so yet. */
  int samples(int client) {
    return samples[client];
  }

  /** Bytes over all connections since the beginning. */
  long bytes() {
    return connections.bytes();
  }

  @Override
  public byte[] admit(int client, ByteBuffer body) throws RefusedException {
    if (client < 0 || client >= samples.length) {
      throw new RefusedException(
          "there is no client " + client + "; they are 0 to " + (samples.length - 1));
    }
    Protocol.Hello hello;
    try {
      hello = Protocol.Hello.read(body);
    } catch (ProtocolException e) {
      throw new RefusedException(e.getMessage());
    }
    List<String> differences = hello.differences(plan, dataset);
    if (!differences.isEmpty()) {
      throw new RefusedException(
          "its configuration is not the server's: " + String.join(", ", differences));
    }
    if (hello.samples() < 1) {
      throw new RefusedException("it has no samples");
    }
    requireCountable(hello.samples());
    Question question = open;
    if (question != null && question.kind == Protocol.WORK && samples[client] != hello.samples()) {
      // The round's weights and steps are of another number: it takes part in the next one.
      question.messages.remove(client);
      question.owing.remove(client);
    }
    samples[client] = hello.samples();
    return welcome;
  }

  /** One client with too many samples must not end the rounds of all. */
  private void requireCountable(int count) throws RefusedException {
    FederationConfig config = plan.federation();
    int ofRound = config.perRound(samples.length);
    try {
      config.steps(count);
      SecureEncoding.of(config, samples.length, 1)
          .ifPresent(
              encoding -> encoding.checkRange(ofRound, new SecureEncoding.Terms(1, count, 1)));
    } catch (ArithmeticException | IllegalArgumentException e) {
      throw new RefusedException(
          "its " + count + " samples are more than can be counted (" + e.getMessage() + ")");
    }
  }

  @Override
  public void joined(int client) {
    log.info("Client {} joined with {} samples.", client, samples[client]);
    Question question = open;
    if (question != null && question.messages.containsKey(client)) {
      ask(question, client);
    }
  }

  private void ask(Question question, int client) {
    if (connections.send(client, question.kind, question.messages.get(client).get())) {
      question.owing.add(client);
    }
  }

  @Override
  public void received(int client, Frame message) throws ProtocolException {
    try {
      answer(client, message);
    } catch (ProtocolException | BufferUnderflowException e) {
      if (open != null) {
        // It has had its turn: otherwise it could come back and do the same until the deadline.
        open.messages.remove(client);
        open.owing.remove(client);
      }
      throw e instanceof ProtocolException known
          ? known
          : new ProtocolException("its message is too short");
    }
  }

  private void answer(int client, Frame message) throws ProtocolException {
    Question question = open;
    ByteBuffer body = message.body();
    int round = body.getInt();
    boolean due =
        question != null && question.round == round && question.messages.containsKey(client);
    if (due && message.kind() == question.answerKind) {
      question.owing.remove(client);
      question.messages.remove(client);
      newestAnswer[client] = turn(round, message.kind());
      question.answer.take(client, body);
    } else if (due && message.kind() == Protocol.UNABLE) {
      question.owing.remove(client);
      question.messages.remove(client);
      log.warn("Round {}: client {} cannot: {}.", round + 1, client, reason(body));
    } else if (isLate(round, message.kind(), question, client)) {
      log.warn("Round {}: client {} answered after the deadline.", round + 1, client);
      newestAnswer[client] = Math.max(newestAnswer[client], turn(round, message.kind()));
    } else {
      throw new ProtocolException(
          "no answer of kind " + message.kind() + " for round " + (round + 1) + " is due of it");
    }
  }

  /** Whether it may be the answer to something that is no longer waited for. */
  private boolean isLate(int round, int kind, @Nullable Question question, int client) {
    boolean lossOfThisRound =
        question != null
            && question.round == round
            && kind == Protocol.LOSS
            && question.kind == Protocol.WORK;
    if (kind == Protocol.SEALED) {
      // Of a stage that is over; the one that is on has its own checks.
      return round >= 0 && turn(round, kind) <= newestAnswer[client];
    }
    return turn(round, kind) > newestAnswer[client]
        && (question == null || round < question.round || lossOfThisRound);
  }

  /** A client has two turns in a round: it tells its loss, then it trains. */
  private static long turn(int round, int kind) {
    return 2L * round + (kind == Protocol.LOSS ? 0 : 1);
  }

  private static String reason(ByteBuffer body) {
    String text = StandardCharsets.UTF_8.decode(body).toString();
    return text.replaceAll("[\\p{Cntrl}]", " ").substring(0, Math.min(200, text.length()));
  }

  /**
   * Waits until clients enough for a round are connected.
   *
   * @return false if it is to stop instead
   */
  boolean await(int round) {
    int minimum = network.minimum() == null ? count() : Math.min(network.minimum(), count());
    poll(Duration.ofMillis(1));
    if (connections.connected() < minimum) {
      log.info(
          "Round {} waits: {} of {} clients are connected, and {} must be.",
          round + 1,
          connections.connected(),
          count(),
          minimum);
    }
    while (connections.connected() < minimum && !stop.getAsBoolean()) {
      poll(A_MOMENT);
    }
    return !stop.getAsBoolean();
  }

  private void poll(Duration atMost) {
    try {
      connections.poll(atMost);
    } catch (IOException e) {
      throw failed("The server's socket failed", e);
    }
  }

  /**
   * Asks all, and those who come back again, and waits for answers until the deadline.
   *
   * @return false if it is to stop instead
   */
  boolean collect(Question question) {
    long end = System.nanoTime() + network.deadlineOfRound().toNanos();
    open = question;
    for (int client : List.copyOf(question.messages.keySet())) {
      ask(question, client);
    }
    while (!question.owing.isEmpty()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        question.owing.forEach(
            client ->
                log.warn(
                    "Round {}: client {} has not answered within {} s.",
                    question.round + 1,
                    client,
                    network.deadline()));
        connections.closeStalled();
        break;
      }
      if (stop.getAsBoolean()) {
        return false;
      }
      poll(left < A_MOMENT.toNanos() ? Duration.ofNanos(left) : A_MOMENT);
    }
    open = null;
    return true;
  }

  /**
   * Tells all that are connected, and waits until they have taken it, a round's deadline at most.
   */
  void tellAll(int kind, ByteBuffer body) {
    for (int client = 0; client < count(); client++) {
      connections.send(client, kind, body);
    }
    long end = System.nanoTime() + network.deadlineOfRound().toNanos();
    while (connections.isBehind() && end - System.nanoTime() > 0 && !stop.getAsBoolean()) {
      poll(A_MOMENT);
    }
    connections.closeStalled(); // says who has not got it
  }

  @Override
  public void close() {
    connections.close();
  }
}
