package dev.lockstep.federated;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.config.NetworkConfig;
import dev.lockstep.federated.network.ClientConnections;
import dev.lockstep.federated.network.ClientHandler;
import dev.lockstep.federated.network.Frame;
import dev.lockstep.federated.network.RefusedException;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who of the clients is connected, what they are asked at present, and who still owes an answer.
 * One question is open at a time. What a client must not send costs it the connection and the
 * question, and nobody else anything. One thread.
 */
final class ClientSessions implements ClientHandler, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ClientSessions.class);
  private static final Duration A_MOMENT = Duration.ofMillis(100);

  private final Admission admission;
  private final NetworkConfig network;
  private final byte[] welcome;
  private final BooleanSupplier stop;
  private final ClientConnections connections;
  private final int[] samples;

  private final AnswerTurns turns;

  /**
   * Messages of secure aggregation that each client was sent on its connection and not answered.
   */
  private final int[] sealedDue;

  private @Nullable Question open;

  private final EndNotice end;

  /** Of the last question; an answer for an earlier one is late. */
  private int newestRound;

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
    admission = new Admission(plan, dataset);
    this.welcome = welcome;
    this.stop = stop;
    network = plan.network();
    samples = new int[plan.federation().clients()];
    Arrays.fill(samples, 1);
    sealedDue = new int[samples.length];
    turns = new AnswerTurns(samples.length);
    try {
      connections = new ClientConnections(network.socketAddress(), token, mostBytes, this);
      log.info("Listening for {} clients at {}.", samples.length, connections.address());
    } catch (IOException e) {
      throw failed("The server cannot listen at " + network.address(), e);
    }
    end = new EndNotice(connections);
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

  /** Those that are connected, ascending. */
  List<Integer> present() {
    return connections.present();
  }

  @Override
  public byte[] admit(int client, ByteBuffer body) throws RefusedException {
    int count = admission.samples(client, body);
    Question question = open;
    if (question != null && question.kind() == Protocol.WORK && samples[client] != count) {
      // The round's weights and steps are of another number: it takes part in the next one.
      question.remove(client);
    }
    samples[client] = count;
    return welcome;
  }

  @Override
  public void joined(int client) {
    log.info("Client {} joined with {} samples.", client, samples[client]);
    end.isFor(client);
    sealedDue[client] = 0;
    Question question = open;
    end.sendTo(client);
    if (question != null && question.asks(client)) {
      ask(question, client);
    }
  }

  /** Sends it to one of its clients, if that is connected. */
  private void ask(Question question, int client) {
    if (connections.send(client, question.kind(), question.message(client))) {
      question.sent(client);
      if (question.kind() == Protocol.SEALED) {
        sealedDue[client]++;
      }
    }
  }

  @Override
  public void received(int client, Frame message) throws ProtocolException {
    if (end.isSent()) {
      if (message.kind() == Protocol.ENDED) {
        end.isNotFor(client);
      }
      return; // nobody waits for anything else
    }
    try {
      answer(client, message);
    } catch (ProtocolException | BufferUnderflowException e) {
      if (open != null) {
        // It has had its turn: otherwise it could come back and do the same until the deadline.
        open.remove(client);
      }
      end.isNotFor(client);
      throw e instanceof ProtocolException known
          ? known
          : new ProtocolException("its message is too short");
    }
  }

  private void answer(int client, Frame message) throws ProtocolException {
    Question question = open;
    ByteBuffer body = message.body();
    int round = body.getInt();
    if (message.kind() == Protocol.SEALED && --sealedDue[client] < 0) {
      throw new ProtocolException("it sent more of secure aggregation than it was asked for");
    }
    if (question != null
        && question.isFor(client, round)
        && message.kind() == question.answerKind()) {
      turns.answered(client, round, message.kind());
      question.answered(client, body);
    } else if (question != null
        && question.isFor(client, round)
        && message.kind() == Protocol.UNABLE) {
      question.remove(client);
      log.warn("Round {}: client {} cannot: {}.", round + 1, client, Protocol.reason(body));
    } else if (isLate(round, message.kind(), question, client)) {
      log.warn("Round {}: client {} answered after the deadline.", round + 1, client);
      turns.answered(client, round, message.kind());
    } else {
      throw new ProtocolException(
          "no answer of kind " + message.kind() + " for round " + (round + 1) + " is due of it");
    }
  }

  /** Whether it may be the answer to something that is no longer waited for. */
  private boolean isLate(int round, int kind, @Nullable Question question, int client) {
    boolean lossOfThisRound =
        question != null
            && newestRound == round
            && kind == Protocol.LOSS
            && question.kind() == Protocol.WORK;
    if (kind == Protocol.SEALED) {
      // Of a stage that is over; the one that is on has its own checks.
      return round >= 0 && turns.hasAnswered(client, round, kind);
    }
    return !turns.hasAnswered(client, round, kind)
        && (question == null || round < newestRound || lossOfThisRound);
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

  /** Hears what clients say, for so long if they say nothing. */
  void poll(Duration atMost) {
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
  boolean collect(int round, Question question) {
    long end = System.nanoTime() + network.deadlineOfRound().toNanos();
    newestRound = round;
    open = question;
    question.clients().forEach(client -> ask(question, client));
    for (List<Integer> owing = question.owing(); !owing.isEmpty(); owing = question.owing()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        owing.forEach(client -> tellOverdue(round, client));
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

  private void tellOverdue(int round, int client) {
    log.warn(
        "Round {}: client {} has not answered within {} s.", round + 1, client, network.deadline());
  }

  /** Leaves a question open beyond its round; asks one client, now and whenever it comes back. */
  void ask(Question standing, int client, int round) {
    newestRound = round;
    open = standing;
    ask(standing, client);
  }

  /** Waits no more for a client; its answer may still come. */
  void giveUp(int round, int client) {
    tellOverdue(round, client);
    connections.closeStalled(client);
  }

  /** Whether the federation is to stop. */
  boolean stops() {
    return stop.getAsBoolean();
  }

  /** All clients may take part, though none has come yet: those of an earlier server do. */
  void expectAll() {
    for (int client = 0; client < count(); client++) {
      end.isFor(client);
    }
  }

  /** Tells all of the end and waits until they know, a round's deadline at most. */
  void tellTheEnd(ByteBuffer model) {
    open = null;
    end.send(model, network.deadlineOfRound(), stop, () -> poll(A_MOMENT));
  }

  @Override
  public void close() {
    connections.close();
  }
}
