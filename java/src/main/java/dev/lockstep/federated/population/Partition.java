package dev.lockstep.federated.population;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.SplitMix64;
import dev.lockstep.federated.config.PartitionConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Which client has which samples. Every sample belongs to exactly one client; equal arguments give
 * equal partitions everywhere. Immutable.
 */
public final class Partition {
  private static final int MOST_ROWS = 1024;

  /** So many partitions are drawn before one is given up whose clients all have enough samples. */
  private static final int MOST_DRAWS = 10_000;

  private final List<long[]> samples;

  private Partition(List<long[]> samples) {
    this.samples = samples;
  }

  /**
   * A partition that is given.
   *
   * @param samples of each client, at least one each; copied
   */
  public static Partition of(List<long[]> samples) {
    List<long[]> copies = samples.stream().map(long[]::clone).toList();
    if (copies.stream().anyMatch(own -> own.length == 0)) {
      throw new IllegalArgumentException("a client has no sample");
    }
    return new Partition(copies);
  }

  /**
   * Deals samples to clients as a configuration says.
   *
   * @param clients how many; 0 only for partitions that know it themselves
   * @param dataset gives classes and columns
   * @param samples to be dealt
   * @param classes whether the one target is a class number
   * @throws ConfigKeyException if the data does not allow it
   */
  public static Partition of(
      PartitionConfig config,
      int clients,
      Dataset dataset,
      long[] samples,
      boolean classes,
      long seed) {
    if (config.type().ofClasses() && !classes) {
      throw new ConfigKeyException(
          "partition", "is by classes, which only loss: cross_entropy has");
    }
    if (clients > samples.length) {
      throw new ConfigKeyException(
          "clients", "are " + clients + " for " + samples.length + " training samples");
    }
    SplitMix64 random = Streams.of(seed, Streams.Purpose.PARTITION, 0, 0);
    return new Partition(
        switch (config.type()) {
          case IID -> equalParts(shuffled(samples, random), clients);
          case DIRICHLET -> dirichlet(config, clients, byClass(dataset, samples), random);
          case SHARDS ->
              shards(clients, config.classesPerClient(), byClass(dataset, samples), random);
          case COLUMN -> byColumn(config, clients, dataset, samples);
          case GIVEN -> GivenPartition.read(Path.of(config.file()), clients, samples);
        });
  }

  /** How many clients there are. */
  public int clients() {
    return samples.size();
  }

  /** A client's samples; a copy. */
  public long[] samples(int client) {
    return samples.get(client).clone();
  }

  /** How many samples a client has. */
  public int size(int client) {
    return samples.get(client).length;
  }

  private static long[] shuffled(long[] samples, SplitMix64 random) {
    long[] order = samples.clone();
    random.shuffle(order);
    return order;
  }

  private static List<long[]> equalParts(long[] order, int parts) {
    return IntStream.range(0, parts)
        .mapToObj(
            part ->
                Arrays.copyOfRange(
                    order,
                    (int) ((long) order.length * part / parts),
                    (int) ((long) order.length * (part + 1) / parts)))
        .toList();
  }

  /**
   * As Li, Diao, Chen and He 2022 (NIID-Bench) do it: a client that has its fair share gets no
   * more.
   */
  private static List<long[]> dirichlet(
      PartitionConfig config, int clients, List<long[]> classes, SplitMix64 random) {
    long all = classes.stream().mapToLong(own -> own.length).sum();
    for (int draw = 0; draw < MOST_DRAWS; draw++) {
      List<LongStream.Builder> parts =
          IntStream.range(0, clients).mapToObj(client -> LongStream.builder()).toList();
      int[] sizes = new int[clients];
      for (long[] samplesOfClass : classes) {
        double[] shares = Dirichlet.draw(clients, config.alpha(), random);
        for (int client = 0; client < clients; client++) {
          shares[client] = (long) sizes[client] * clients < all ? shares[client] : 0;
        }
        deal(shuffled(samplesOfClass, random), shares, parts, sizes);
      }
      if (Arrays.stream(sizes).min().orElseThrow() >= config.minimum()) {
        return parts.stream().map(part -> part.build().toArray()).toList();
      }
    }
    throw new ConfigKeyException(
        "partition",
        "of "
            + all
            + " samples by dirichlet with alpha "
            + config.alpha()
            + " left a client of "
            + clients
            + " with less than minimum: "
            + config.minimum()
            + " samples in "
            + MOST_DRAWS
            + " draws; raise alpha, or lower clients or minimum");
  }

  /** Cuts the samples of a class by shares that need not add up to 1. */
  private static void deal(
      long[] order, double[] shares, List<LongStream.Builder> parts, int[] sizes) {
    double sum = Arrays.stream(shares).sum();
    if (!(sum > 0)) {
      // The whole class went to clients that have enough already; the smallest client gets it.
      int smallest =
          IntStream.range(0, sizes.length).reduce((a, b) -> sizes[b] < sizes[a] ? b : a).orElse(0);
      shares[smallest] = sum = 1;
    }
    double until = 0;
    int from = 0;
    for (int client = 0; client < shares.length; client++) {
      until += shares[client] / sum;
      int to = client + 1 == shares.length ? order.length : (int) (until * order.length);
      to = Math.min(Math.max(to, from), order.length);
      for (int i = from; i < to; i++) {
        parts.get(client).add(order[i]);
      }
      sizes[client] += to - from;
      from = to;
    }
  }

  private static List<long[]> shards(
      int clients, int perClient, List<long[]> classes, SplitMix64 random) {
    long[] sorted =
        classes.stream().flatMapToLong(own -> Arrays.stream(shuffled(own, random))).toArray();
    int count = Math.multiplyExact(clients, perClient);
    if (count > sorted.length) {
      throw new ConfigKeyException(
          "partition", "needs " + count + " shards of " + sorted.length + " samples");
    }
    List<long[]> shards = equalParts(sorted, count);
    long[] order = shuffled(LongStream.range(0, count).toArray(), random);
    return IntStream.range(0, clients)
        .mapToObj(
            client ->
                IntStream.range(client * perClient, (client + 1) * perClient)
                    .mapToObj(i -> shards.get((int) order[i]))
                    .flatMapToLong(Arrays::stream)
                    .toArray())
        .toList();
  }

  private static List<long[]> byColumn(
      PartitionConfig config, int clients, Dataset dataset, long[] samples) {
    String name = config.column();
    int feature = dataset.featureNames().indexOf(name);
    int target = dataset.targetNames().indexOf(name);
    if (feature < 0 && target < 0) {
      throw new ConfigKeyException(
          "partition",
          "is by the column "
              + name
              + ", but the data has the features "
              + dataset.featureNames()
              + " and the targets "
              + dataset.targetNames());
    }
    Map<Double, List<Long>> groups = new TreeMap<>();
    forEachRow(
        dataset,
        samples,
        (sample, features, targets) ->
            groups
                .computeIfAbsent(
                    feature >= 0 ? features[feature] : targets[target], v -> new ArrayList<>())
                .add(sample));
    if (clients > 0 && clients != groups.size()) {
      throw new ConfigKeyException(
          "clients",
          "are " + clients + ", but " + name + " has " + groups.size() + " different values");
    }
    return groups.values().stream()
        .map(group -> group.stream().mapToLong(Long::longValue).toArray())
        .toList();
  }

  /** The samples of each class, from 0 on. */
  private static List<long[]> byClass(Dataset dataset, long[] samples) {
    Map<Integer, List<Long>> classes = new TreeMap<>();
    forEachRow(
        dataset,
        samples,
        (sample, features, targets) ->
            classes.computeIfAbsent((int) targets[0], number -> new ArrayList<>()).add(sample));
    return classes.values().stream()
        .map(group -> group.stream().mapToLong(Long::longValue).toArray())
        .toList();
  }

  /**
   * How many samples of each class each client has.
   *
   * @return [client][class]
   */
  public int[][] classCounts(Dataset dataset, int classes) {
    int[][] counts = new int[clients()][classes];
    for (int client = 0; client < counts.length; client++) {
      int[] own = counts[client];
      forEachRow(
          dataset, samples.get(client), (sample, features, targets) -> own[(int) targets[0]]++);
    }
    return counts;
  }

  /** Hears of one row after the other; the arrays hold the row alone. */
  private interface RowVisitor {
    void visit(long sample, double[] features, double[] targets);
  }

  private static void forEachRow(Dataset dataset, long[] samples, RowVisitor visitor) {
    int width = dataset.featureNames().size() * dataset.cells();
    int height = dataset.targetNames().size() * dataset.cells();
    int rows = dataset.rowsAtOnce(MOST_ROWS);
    double[] features = new double[rows * width];
    double[] targets = new double[rows * height];
    double[] ownFeatures = new double[width];
    double[] ownTargets = new double[height];
    for (int from = 0; from < samples.length; from += rows) {
      int count = Math.min(rows, samples.length - from);
      dataset.read(samples, from, count, features, targets);
      for (int i = 0; i < count; i++) {
        System.arraycopy(features, i * width, ownFeatures, 0, width);
        System.arraycopy(targets, i * height, ownTargets, 0, height);
        visitor.visit(samples[from + i], ownFeatures, ownTargets);
      }
    }
  }
}
