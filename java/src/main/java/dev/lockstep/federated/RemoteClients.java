package dev.lockstep.federated;

import dev.lockstep.federated.ClientSessions.Question;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.function.IntFunction;

/**
 * Clients that are other processes. A round waits, until its deadline, for those that were
 * connected when it began or have come since; who comes back gets the same work again and, all that
 * is drawn following from seed, round and client, gives the same answer.
 */
final class RemoteClients implements Clients {
  private final FederationConfig config;
  private final Protocol protocol;
  private final ClientSessions sessions;

  /** Clients of the round, by the numbers of their assignments. */
  private final Map<Integer, Integer> asked = new TreeMap<>();

  private long bytesBefore;

  RemoteClients(FederationConfig config, Protocol protocol, ClientSessions sessions) {
    this.config = config;
    this.protocol = protocol;
    this.sessions = sessions;
  }

  @Override
  public int count() {
    return sessions.count();
  }

  @Override
  public int samples(int client) {
    return sessions.samples(client);
  }

  @Override
  public boolean isSimulated() {
    return false;
  }

  @Override
  public boolean await(int round) {
    bytesBefore = sessions.bytes();
    return sessions.await(round);
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
      question.to(candidates[i], () -> message(round, vector));
    }
    sessions.collect(question);
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
      had[i] = sessions.samples(client);
      question.to(
          client,
          () -> {
            Work todo = work.apply(number);
            ByteBuffer model = written.computeIfAbsent(todo.base(), protocol::write);
            begun[number] = rounded.computeIfAbsent(todo.base(), base -> read(model));
            sealed[number] = todo.terms() != null;
            return message(round, model, todo);
          });
    }
    return sessions.collect(question);
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
            question.to(asked.get(number), () -> message(round, ByteBuffer.wrap(message))));
    if (!sessions.collect(question)) {
      throw new CancellationException("The federation is to stop.");
    }
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
          had, config.steps(had), loss, new double[0], finite && Double.isFinite(loss));
    }
    double[] end = protocol.readLast(body);
    return ClientUpdate.of(had, config.steps(had), loss, finite, end, begun);
  }

  /** What went over the connections since the round began. */
  @Override
  public long bytes(RoundPlan round) {
    return sessions.bytes() - bytesBefore;
  }

  @Override
  public void finish(double[] model) {
    sessions.tellAll(Protocol.END, protocol.write(model));
  }
}
