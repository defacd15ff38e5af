package dev.lockstep.federated.population;

import dev.lockstep.data.SplitMix64;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.SelectionConfig;
import dev.lockstep.federated.population.Streams.Purpose;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Plans rounds whose clients all begin with the newest model. Immutable; each round's plan follows
 * from the seed and its number, and for power of choice from the candidates' losses.
 */
public final class Selection {
  private final FederationConfig config;
  private final Population clients;
  private final long seed;

  public Selection(FederationConfig config, Population clients, long seed) {
    this.config = config;
    this.clients = clients;
    this.seed = seed;
  }

  /** Whose loss {@link #plan} asks for; empty unless it is power of choice. */
  public int[] candidates(int round) {
    if (config.selection().type() != SelectionConfig.Type.POWER_OF_CHOICE) {
      return new int[0];
    }
    Integer asked = config.selection().candidates();
    int count = asked == null ? 2 * perRound() : Math.max(asked, perRound());
    return withoutRepeatsBySamples(Math.min(count, clients.count()), random(round));
  }

  /**
   * Plans a round.
   *
   * @param start the simulated time at which it begins
   * @param loss of a candidate
   */
  public RoundPlan plan(int round, double start, IntToDoubleFunction loss) {
    return plan(round, start, asked(round, loss));
  }

  /** As the other, for clients that somebody else has drawn. */
  public RoundPlan planOf(int round, double start, int[] clients) {
    return plan(round, start, bySamples(round, clients));
  }

  private RoundPlan plan(int round, double start, List<Assignment> asked) {
    List<Assignment> inTime = new ArrayList<>();
    Double deadline = config.latency().deadline();
    double longest = 0;
    for (Assignment assignment : asked) {
      double seconds = latency(config, seed, round, assignment.client());
      if (deadline == null || seconds <= deadline) {
        inTime.add(assignment);
        longest = Math.max(longest, seconds);
      } else {
        longest = deadline;
      }
    }
    return new RoundPlan(inTime, asked.size(), asked.size() - inTime.size(), start + longest);
  }

  /** Simulated seconds of a client's training. */
  static double latency(FederationConfig config, long seed, long number, int client) {
    double gaussian = Streams.of(seed, Purpose.LATENCY, number, client).nextGaussian();
    return config.latency().median() * StrictMath.exp(config.latency().spread() * gaussian);
  }

  private int perRound() {
    return config.perRound(clients.count());
  }

  private SplitMix64 random(int round) {
    return Streams.of(seed, Purpose.SELECTION, round, 0);
  }

  private List<Assignment> asked(int round, IntToDoubleFunction loss) {
    return switch (config.selection().type()) {
      case UNIFORM -> bySamples(round, uniform(perRound(), random(round)));
      case POISSON -> bySamples(round, poisson(random(round)));
      case POWER_OF_CHOICE -> bySamples(round, highest(candidates(round), loss));
      case WEIGHTED -> weighted(round, random(round));
    };
  }

  private static List<Assignment> bySamples(int round, int[] clients) {
    Arrays.sort(clients);
    return Arrays.stream(clients)
        .mapToObj(client -> new Assignment(client, round, 1, false))
        .toList();
  }

  private int[] uniform(int count, SplitMix64 random) {
    long[] order = IntStream.range(0, clients.count()).asLongStream().toArray();
    random.shuffle(order);
    return Arrays.stream(order).limit(count).mapToInt(client -> (int) client).toArray();
  }

  private int[] poisson(SplitMix64 random) {
    double rate = (double) perRound() / clients.count();
    return IntStream.range(0, clients.count())
        .filter(client -> random.nextDouble() < rate)
        .toArray();
  }

  private int[] highest(int[] candidates, IntToDoubleFunction loss) {
    return Arrays.stream(candidates)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer client) -> -loss.applyAsDouble(client)))
        .limit(perRound())
        .mapToInt(Integer::intValue)
        .toArray();
  }

  /** A client that is drawn m times counts m times. */
  private List<Assignment> weighted(int round, SplitMix64 random) {
    TreeMap<Integer, Integer> times = new TreeMap<>();
    for (int i = 0; i < perRound(); i++) {
      times.merge(bySamples(random, new boolean[clients.count()]), 1, Integer::sum);
    }
    return times.entrySet().stream()
        .map(drawn -> new Assignment(drawn.getKey(), round, drawn.getValue(), true))
        .toList();
  }

  private int[] withoutRepeatsBySamples(int count, SplitMix64 random) {
    boolean[] taken = new boolean[clients.count()];
    int[] drawn = new int[count];
    for (int i = 0; i < count; i++) {
      drawn[i] = bySamples(random, taken);
      taken[drawn[i]] = true;
    }
    return drawn;
  }

  /** One of the clients that are not taken, with probabilities as their samples. */
  private int bySamples(SplitMix64 random, boolean[] taken) {
    long all = 0;
    for (int client = 0; client < taken.length; client++) {
      all += taken[client] ? 0 : clients.samples(client);
    }
    long at = random.nextBelow(all);
    for (int client = 0; ; client++) {
      at -= taken[client] ? 0 : clients.samples(client);
      if (at < 0) {
        return client;
      }
    }
  }
}
