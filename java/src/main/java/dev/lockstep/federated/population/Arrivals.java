package dev.lockstep.federated.population;

import dev.lockstep.data.SplitMix64;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.population.Streams.Purpose;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Plans FedBuff's rounds: {@code concurrency} clients train at any time, and whoever answers is
 * followed by another one drawn at random. Who arrives when follows from the seed alone, whatever
 * the model is; so the clients of a round can be trained side by side. Rounds are planned in order.
 */
public final class Arrivals {
  private final FederationConfig config;
  private final Population clients;
  private final long seed;
  private final PriorityQueue<Training> queue =
      new PriorityQueue<>(
          Comparator.comparingDouble(Training::end).thenComparingLong(Training::number));
  private long started;

  /** A client at work. */
  private record Training(long number, int client, int base, double end) {}

  public Arrivals(FederationConfig config, Population clients, long seed) {
    this.config = config;
    this.clients = clients;
    this.seed = seed;
    for (int i = 0; i < config.asynchronous().concurrency(); i++) {
      start(0, 0);
    }
  }

  private void start(int base, double now) {
    SplitMix64 random = Streams.of(seed, Purpose.SELECTION, started, 0);
    int client = (int) random.nextBelow(clients.count());
    double seconds = Selection.latency(config, seed, started, client);
    queue.add(new Training(started++, client, base, now + seconds));
  }

  /** Plans the next round. */
  public RoundPlan plan(int round) {
    List<Assignment> arrived = new ArrayList<>();
    double now = 0;
    int buffer = config.asynchronous().buffer();
    for (int i = 0; i < buffer; i++) {
      Training training = queue.remove();
      now = training.end();
      double weight = Assignment.stalenessWeight(round - training.base());
      arrived.add(new Assignment(training.client(), training.base(), weight, true));
      // The last answer of the buffer makes the next model, which its follower begins with.
      start(i + 1 == buffer ? round + 1 : round, now);
    }
    return new RoundPlan(arrived, arrived.size(), 0, now);
  }

  /** The oldest model that a client still trains on. */
  public int oldestBase() {
    return queue.stream().mapToInt(Training::base).min().orElseThrow();
  }
}
