package dev.lockstep.federated;

import dev.lockstep.data.SplitMix64;
import dev.lockstep.federated.Clients.Work;
import dev.lockstep.federated.client.ClientUpdate;
import dev.lockstep.federated.config.AsynchronousConfig;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.population.Assignment;
import dev.lockstep.federated.population.Streams;
import dev.lockstep.federated.population.Streams.Purpose;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * FedBuff's server over a network (Nguyen et al. 2022): {@code concurrency} clients train at any
 * time, whoever answers is followed by another one drawn at random, and a round is over when the
 * buffer is full, or at its deadline. A client beyond the deadline makes room for another one; its
 * answer counts when it comes after all. One client cannot fill a buffer of several. Not
 * thread-safe.
 */
final class RemoteBuffer {
  private static final Logger log = LoggerFactory.getLogger(RemoteBuffer.class);
  private static final Duration A_MOMENT = Duration.ofMillis(50);

  private final FederationConfig config;
  private final Protocol protocol;
  private final ClientSessions sessions;
  private final long seed;
  private final long deadlineNanos;
  private final Question question = new Question(Protocol.WORK, Protocol.TRAINED, this::answered);
  private final Map<Integer, Training> training = new HashMap<>();

  /** Answers that no round has used. */
  private final Deque<Arrived> arrived = new ArrayDeque<>();

  /** Clients that make room for others, though they may still answer. */
  private final Set<Integer> overdue = new HashSet<>();

  /** How many answers of each client are in this round's buffer. */
  private final Map<Integer, Integer> used = new HashMap<>();

  /** Trainings that have begun in this round. */
  private int started;

  /**
   * A client at work.
   *
   * @param base the round whose model it began with
   * @param begun that model as the client has it; shared
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
  private record Training(int base, double[] begun, int samples) {}

  private record Arrived(int client, int base, ClientUpdate update) {}

  /** Hears of answers. */
  interface Receiver {
    /**
     * @param number the answer's place in the buffer
     */
    void answered(int number, Assignment assignment, ClientUpdate update);
  }

  RemoteBuffer(FederationPlan plan, Protocol protocol, ClientSessions sessions) {
    config = plan.federation();
    seed = plan.seed();
    deadlineNanos = plan.network().deadlineOfRound().toNanos();
    this.protocol = protocol;
    this.sessions = sessions;
  }

  private void answered(int client, ByteBuffer body) throws ProtocolException {
    Training done = training.get(client);
    overdue.remove(client);
    if (done == null) {
      throw new ProtocolException("it was not asked to train");
    }
    int steps = config.steps(done.samples());
    ClientUpdate update = protocol.trained(body, done.begun(), done.samples(), steps, false);
    training.remove(client); // not before: who sends what it must not is not drawn again at once
    arrived.add(new Arrived(client, done.base(), update));
  }

  /**
   * Has clients train until the buffer is full or the deadline has passed.
   *
   * @param model the server's newest
   * @return whose answers are in the buffer, in the order of their arrival; empty if the federation
   *     is to stop
   */
  Optional<List<Assignment>> fill(int round, double[] model, Receiver receiver) {
    int size = config.asynchronous().buffer();
    long end = System.nanoTime() + deadlineNanos;
    ByteBuffer written = protocol.write(model);
    double[] begun = protocol.rounded(written);
    List<Assignment> buffer = new ArrayList<>();
    // Those who could not, or sent what they must not, are left alone until the next round.
    training.keySet().retainAll(question.clients());
    used.clear();
    started = 0;
    while (buffer.size() < size) {
      Arrived next = arrived.poll();
      if (next != null) {
        double weight = Assignment.stalenessWeight(round - next.base());
        Assignment assignment = new Assignment(next.client(), next.base(), weight, true);
        receiver.answered(buffer.size(), assignment, next.update());
        buffer.add(assignment);
        used.merge(next.client(), 1, Integer::sum);
        continue;
      }
      if (sessions.stops()) {
        return Optional.empty();
      }
      giveUpOverdue(round);
      start(round, written, begun);
      long left = end - System.nanoTime();
      if (left <= 0) {
        log.warn(
            "Round {}: {} of {} answers have come by its deadline; clients {} are at work.",
            round + 1,
            buffer.size(),
            size,
            question.owing());
        break;
      }
      sessions.poll(left < A_MOMENT.toNanos() ? Duration.ofNanos(left) : A_MOMENT);
    }
    return Optional.of(buffer);
  }

  private void giveUpOverdue(int round) {
    overdue.retainAll(question.clients());
    for (int client : question.clients()) {
      if (question.age(client) > deadlineNanos && overdue.add(client)) {
        sessions.giveUp(round, client);
      }
    }
    // Those that are gone may never come back: their models are kept no longer.
    Set<Integer> gone = new HashSet<>(overdue);
    gone.removeAll(sessions.present());
    gone.forEach(question::remove);
    training.keySet().removeAll(gone);
    overdue.removeAll(gone);
  }

  /** Answers of one client in a buffer: twice its share, so that half the clients can fill it. */
  private static int mostOfOne(int buffer, int clients) {
    return (int) Math.max(1, Math.ceil(2.0 * buffer / Math.max(1, clients)));
  }

  private void start(int round, ByteBuffer written, double[] begun) {
    // Of those that are overdue, or could not, no answer is to be expected in this round.
    Set<Integer> none = new HashSet<>(training.keySet());
    none.removeAll(question.clients());
    none.addAll(overdue);
    List<Integer> idle = new ArrayList<>(sessions.present());
    idle.removeAll(none);
    AsynchronousConfig limits = config.asynchronous();
    int most = mostOfOne(limits.buffer(), idle.size());
    idle.removeAll(question.clients());
    idle.removeIf(client -> used.getOrDefault(client, 0) >= most);
    int working = question.clients().size() - overdue.size();
    while (working < limits.concurrency() && !idle.isEmpty()) {
      SplitMix64 random = Streams.of(seed, Purpose.SELECTION, round, started);
      int client = idle.remove((int) random.nextBelow(idle.size()));
      // Round and number tell trainings of one client that begin in one round apart.
      long turn = round + ((long) ++started << 32);
      long ofTraining = Streams.seed(seed, Purpose.TRAINING, turn, client);
      training.put(client, new Training(round, begun, sessions.samples(client)));
      Work work = new Work(client, begun, null, ofTraining, null);
      question.to(client, round, () -> protocol.work(round, written, work));
      sessions.ask(question, client, round);
      working++;
    }
  }
}
