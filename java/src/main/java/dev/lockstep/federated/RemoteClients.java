package dev.lockstep.federated;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.Clients.Receiver;
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
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Clients that are other processes. A round waits, until its deadline, for those that were
 * connected when it began or have come since; who comes back gets the same work again and, all that
 * is drawn following from seed, round and client, gives the same answer. What a client must not
 * send costs it the connection and the round, and nobody else anything.
 */
final class RemoteClients implements Clients, ClientConnections.Handler, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RemoteClients.class);
  private static final Duration A_MOMENT = Duration.ofMillis(100);
  private static final Duration FAREWELL = Duration.ofSeconds(10);

  private final FederationPlan plan;
  private final Dataset dataset;
  private final NetworkConfig network;
  private final Protocol protocol;
  private final byte[] welcome;
  private final BooleanSupplier stop;
  private final ClientConnections connections;
  private final int[] samples;

  /** The newest round for which each client has answered. */
  private final int[] newestAnswer;

  /** Clients of the round, by the numbers of their assignments. */
  private final Map<Integer, Integer> asked = new TreeMap<>();

  private @Nullable Question open;
  private long bytesBefore;

  /** What is asked of clients at present, and who still owes an answer. */
  private static final class Question {
    final int round;
    final int kind;
    final int answerKind;
    final Map<Integer, Function<Integer, ByteBuffer[]>> messages = new TreeMap<>();
    final TreeSet<Integer> owing = new TreeSet<>();
    final Answer answer;

    Question(int round, int kind, int answerKind, Answer answer) {
      this.round = round;
      this.kind = kind;
      this.answerKind = answerKind;
      this.answer = answer;
    }
  }

  private interface Answer {
    /** Takes the rest of a message, behind the round. */
    void take(int client, ByteBuffer body) throws ProtocolException;
  }

  /**
   * Listens.
   *
   * @param stop whether to end waiting
   * @throws CommunicationException if the address cannot be had
   */
  RemoteClients(
      FederationPlan plan,
      Dataset dataset,
      byte[] token,
      Protocol protocol,
      Protocol.Welcome welcome,
      BooleanSupplier stop) {
    this.plan = plan;
    this.dataset = dataset;
    this.protocol = protocol;
    this.welcome = welcome.write();
    this.stop = stop;
    network = plan.network();
    samples = new int[plan.federation().clients()];
    Arrays.fill(samples, 1);
    newestAnswer = new int[samples.length];
    Arrays.fill(newestAnswer, -1);
    try {
      connections =
          new ClientConnections(network.socketAddress(), token, protocol.mostBytes(), this);
      log.info("Listening for {} clients at {}.", samples.length, connections.address());
    } catch (IOException e) {
      throw failed("The server cannot listen at " + network.address(), e);
    }
  }

  private static CommunicationException failed(String what, IOException cause) {
    return new CommunicationException(
        what + " (" + cause.getMessage() + ").", CommunicationException.NO_RANK, cause);
  }

  @Override
  public int count() {
    return samples.length;
  }

  @Override
  public int samples(int client) {
    return samples[client];
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
    samples[client] = hello.samples();
    return welcome;
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
    if (connections.send(client, question.kind, question.messages.get(client).apply(client))) {
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
      newestAnswer[client] = round;
      question.answer.take(client, body);
    } else if (due && message.kind() == Protocol.UNABLE) {
      question.owing.remove(client);
      question.messages.remove(client);
      log.warn("Round {}: client {} cannot: {}.", round + 1, client, reason(body));
    } else if (isLate(round, message.kind(), question, client)) {
      log.warn("Round {}: client {} answered after the deadline.", round + 1, client);
      newestAnswer[client] = Math.max(newestAnswer[client], round);
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
      return round >= 0 && round <= newestAnswer[client];
    }
    return round > newestAnswer[client]
        && (question == null || round < question.round || lossOfThisRound);
  }

  private static String reason(ByteBuffer body) {
    String text = StandardCharsets.UTF_8.decode(body).toString();
    return text.replaceAll("[\\p{Cntrl}]", " ").substring(0, Math.min(200, text.length()));
  }

  @Override
  public boolean await(int round) {
    int minimum = network.minimum() == null ? count() : Math.min(network.minimum(), count());
    bytesBefore = connections.bytes();
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

  /** Asks all, and waits for answers until the deadline; false if it is to stop. */
  private boolean collect(Question question) {
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

  @Override
  public double[] losses(int round, int[] candidates, double[] model) {
    double[] losses = new double[candidates.length];
    Arrays.fill(losses, Double.NEGATIVE_INFINITY);
    Map<Integer, Integer> places = new TreeMap<>();
    Question question =
        new Question(
            round,
            Protocol.ASK_LOSS,
            Protocol.LOSS,
            (client, body) -> {
              double loss = body.getDouble();
              if (!Double.isFinite(loss)) {
                throw new ProtocolException("its loss is " + loss);
              }
              losses[places.get(client)] = loss;
            });
    ByteBuffer vector = protocol.write(model);
    for (int i = 0; i < candidates.length; i++) {
      places.put(candidates[i], i);
      question.messages.put(candidates[i], client -> message(round, vector));
    }
    collect(question);
    return losses;
  }

  private static ByteBuffer[] message(int round, ByteBuffer... parts) {
    ByteBuffer[] all = new ByteBuffer[parts.length + 1];
    all[0] = ByteBuffer.allocate(Integer.BYTES).putInt(round).flip();
    System.arraycopy(parts, 0, all, 1, parts.length);
    return all;
  }

  @Override
  public boolean train(
      int round, List<Assignment> assignments, IntFunction<Work> work, Receiver receiver) {
    Map<Integer, Integer> numbers = new TreeMap<>();
    double[][] begun = new double[assignments.size()][];
    int[] had = new int[assignments.size()];
    boolean[] sealed = new boolean[assignments.size()];
    asked.clear();
    Question question =
        new Question(
            round,
            Protocol.WORK,
            Protocol.TRAINED,
            (client, body) -> {
              int number = numbers.get(client);
              receiver.answered(number, update(body, begun[number], had[number], sealed[number]));
            });
    // The same model goes to all: it is written, and kept, once.
    Map<double[], ByteBuffer> written = new IdentityHashMap<>();
    Map<double[], double[]> rounded = new IdentityHashMap<>();
    for (int i = 0; i < begun.length; i++) {
      int number = i;
      int client = assignments.get(i).client();
      asked.put(i, client);
      numbers.put(client, i);
      had[i] = samples[client];
      question.messages.put(
          client,
          who -> {
            Work todo = work.apply(number);
            ByteBuffer model = written.computeIfAbsent(todo.base(), protocol::write);
            begun[number] = rounded.computeIfAbsent(todo.base(), base -> read(model));
            sealed[number] = todo.terms() != null;
            return message(round, model, todo);
          });
    }
    return collect(question);
  }

  private double[] read(ByteBuffer model) {
    try {
      return protocol.readLast(model.duplicate());
    } catch (ProtocolException e) {
      throw new IllegalStateException("The server's own model has another length.", e);
    }
  }

  private ByteBuffer[] message(int round, ByteBuffer model, Work work) {
    ByteBuffer head = ByteBuffer.allocate(Protocol.SLACK).putLong(work.seed());
    double[] correction = work.correction();
    if (correction != null) {
      head.put((byte) Protocol.CORRECTED).flip();
      return message(round, head, model, protocol.write(correction));
    }
    SecureEncoding.Terms terms = work.terms();
    if (terms != null) {
      head.put((byte) Protocol.ON_TERMS)
          .putLong(terms.weight())
          .putLong(terms.mostWeight())
          .putDouble(terms.clipNorm())
          .flip();
      return message(round, head, model);
    }
    return message(round, head.put((byte) Protocol.PLAIN).flip(), model);
  }

  @Override
  public Map<Integer, byte[]> secureStage(int round, Map<Integer, byte[]> messages) {
    Map<Integer, byte[]> byClient = new TreeMap<>();
    Question question =
        new Question(
            round,
            Protocol.SEALED,
            Protocol.SEALED,
            (client, body) -> {
              byte[] answer = new byte[body.remaining()];
              body.get(answer);
              byClient.put(client, answer);
            });
    messages.forEach(
        (number, message) ->
            question.messages.put(
                asked.get(number), client -> message(round, ByteBuffer.wrap(message))));
    collect(question);
    Map<Integer, byte[]> byNumber = new TreeMap<>();
    asked.forEach(
        (number, client) -> {
          byte[] answer = byClient.get(client);
          if (answer != null) {
            byNumber.put(number, answer);
          }
        });
    return byNumber;
  }

  private ClientUpdate update(ByteBuffer body, double[] begun, int had, boolean sealed)
      throws ProtocolException {
    double loss = body.getDouble();
    boolean finite = body.get() == 1;
    if (sealed) {
      if (body.hasRemaining()) {
        throw new ProtocolException("it sent its model where its sum with others is wanted");
      }
      return new ClientUpdate(
          had, plan.federation().steps(had), loss, new double[0], finite && Double.isFinite(loss));
    }
    double[] end = protocol.readLast(body);
    return ClientUpdate.of(had, plan.federation().steps(had), loss, finite, end, begun);
  }

  /** What went over the connections since the round began. */
  @Override
  public long bytes(RoundPlan round) {
    return connections.bytes() - bytesBefore;
  }

  @Override
  public void finish(double[] model) {
    ByteBuffer vector = protocol.write(model);
    for (int client = 0; client < count(); client++) {
      connections.send(client, Protocol.END, vector);
    }
    long end = System.nanoTime() + FAREWELL.toNanos();
    while (connections.isBehind() && System.nanoTime() < end) {
      poll(A_MOMENT);
    }
  }

  @Override
  public void close() {
    connections.close();
  }
}
