package dev.lockstep.federated;

import static java.util.Objects.requireNonNull;

import dev.lockstep.federated.config.Algorithm;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.population.Assignment;
import dev.lockstep.federated.population.RoundPlan;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Clients that are other processes. A round waits, until its deadline, for those that were
 * connected when it began or have come since; who comes back gets the same work again and, all that
 * is drawn following from seed, round and client, gives the same answer.
 */
final class RemoteClients implements Clients {
  private final FederationConfig config;
  private final Protocol protocol;
  private final ClientSessions sessions;
  private final @Nullable RemoteBuffer buffer;

  /** Clients of the round, by the numbers of their assignments. */
  private final Map<Integer, Integer> asked = new TreeMap<>();

  private long bytesBefore;

  RemoteClients(FederationPlan plan, Protocol protocol, ClientSessions sessions) {
    config = plan.federation();
    buffer =
        config.algorithm() == Algorithm.FEDBUFF ? new RemoteBuffer(plan, protocol, sessions) : null;
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
  public Optional<RemoteBuffer> buffer() {
    return Optional.ofNullable(buffer);
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
            Protocol.ASK_LOSS,
            Protocol.LOSS,
            (client, body) -> {
              double loss = body.getDouble();
              if (!Double.isFinite(loss)) {
                throw new ProtocolException("its loss is " + loss);
              }
              losses[requireNonNull(places.get(client))] = loss;
            });
    ByteBuffer vector = protocol.write(model);
    for (int i = 0; i < candidates.length; i++) {
      places.put(candidates[i], i);
      question.to(candidates[i], round, () -> Protocol.message(round, vector));
    }
    sessions.collect(round, question);
    return losses;
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
            Protocol.WORK,
            Protocol.TRAINED,
            (client, body) -> {
              int number = requireNonNull(numbers.get(client));
              int count = had[number];
              receiver.answered(
                  number,
                  protocol.trained(
                      body, begun[number], count, config.steps(count), sealed[number]));
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
          round,
          () -> {
            Work todo = work.apply(number);
            ByteBuffer model = written.computeIfAbsent(todo.base(), protocol::write);
            begun[number] = rounded.computeIfAbsent(todo.base(), base -> protocol.rounded(model));
            sealed[number] = todo.terms() != null;
            return protocol.work(round, model, todo);
          });
    }
    return sessions.collect(round, question);
  }

  @Override
  public Map<Integer, byte[]> secureStage(int round, Map<Integer, byte[]> messages) {
    Map<Integer, byte[]> byClient = new TreeMap<>();
    Question question =
        new Question(
            Protocol.SEALED,
            Protocol.SEALED,
            (client, body) -> {
              byte[] answer = new byte[body.remaining()];
              body.get(answer);
              byClient.put(client, answer);
            });
    messages.forEach(
        (number, message) ->
            question.to(
                requireNonNull(asked.get(number)),
                round,
                () -> Protocol.message(round, ByteBuffer.wrap(message))));
    if (!sessions.collect(round, question)) {
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

  /** What went over the connections since the round began. */
  @Override
  public long bytes(RoundPlan round) {
    return sessions.bytes() - bytesBefore;
  }

  @Override
  public void finish(double[] model) {
    sessions.tellTheEnd(protocol.write(model));
  }
}
