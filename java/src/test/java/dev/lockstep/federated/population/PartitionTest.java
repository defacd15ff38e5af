package dev.lockstep.federated.population;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.SplitMix64;
import dev.lockstep.federated.config.PartitionConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PartitionTest {
  private static final int CLASSES = 10;

  /** Samples whose class is their number modulo ten; the one feature is a region. */
  private record Numbers(long size) implements Dataset {
    @Override
    public List<String> featureNames() {
      return List.of("region");
    }

    @Override
    public List<String> targetNames() {
      return List.of("class");
    }

    @Override
    public void read(long[] indices, int from, int count, double[] features, double[] targets) {
      for (int i = 0; i < count; i++) {
        features[i] = indices[from + i] / 300;
        targets[i] = indices[from + i] % CLASSES;
      }
    }

    @Override
    public long point(long sample) {
      return sample;
    }

    @Override
    public String description() {
      return "numbers";
    }

    @Override
    public void close() {}
  }

  private static final Numbers DATA = new Numbers(2000);
  private static final long[] SAMPLES = LongStream.range(0, 2000).toArray();

  private static Partition partition(PartitionConfig config, int clients, long seed) {
    return Partition.of(config, clients, DATA, SAMPLES, true, seed);
  }

  private static PartitionConfig dirichlet(double alpha) {
    return PartitionConfig.of(PartitionConfig.Type.DIRICHLET, alpha, null, null, null, null);
  }

  private static void assertCovers(Partition partition) {
    long[] all =
        IntStream.range(0, partition.clients())
            .mapToObj(partition::samples)
            .flatMapToLong(Arrays::stream)
            .sorted()
            .toArray();
    assertArrayEquals(SAMPLES, all);
  }

  @ParameterizedTest
  @CsvSource({"10, 100", "10, 0.5", "10, 0.1", "10, 0.03", "20, 0.05", "100, 3"})
  void byDirichletEverySampleHasOneClientAndEachClientEnough(int clients, double alpha) {
    Partition partition = partition(dirichlet(alpha), clients, 3);
    assertCovers(partition);
    for (int client = 0; client < clients; client++) {
      assertTrue(partition.size(client) >= 10, "client " + client);
    }
  }

  @Test
  void theSmallerAlphaTheFewerClassesAClientHas() {
    double even = largestShare(dirichlet(100));
    double uneven = largestShare(dirichlet(0.05));
    assertTrue(even < 0.2, "even " + even);
    assertTrue(uneven > 0.6, "uneven " + uneven);
  }

  /** The mean over clients of the share that their largest class has. */
  private static double largestShare(PartitionConfig config) {
    Partition partition = partition(config, 10, 1);
    return Arrays.stream(partition.classCounts(DATA, CLASSES))
        .mapToDouble(own -> (double) Arrays.stream(own).max().orElse(0) / Arrays.stream(own).sum())
        .average()
        .orElseThrow();
  }

  @Test
  void equalSeedsGiveEqualPartitionsAndOthersOthers() {
    long[] first = partition(dirichlet(0.3), 10, 4).samples(3);
    assertArrayEquals(first, partition(dirichlet(0.3), 10, 4).samples(3));
    assertTrue(!Arrays.equals(first, partition(dirichlet(0.3), 10, 5).samples(3)));
  }

  @Test
  void shardsGiveEachClientItsNumberOfClasses() {
    PartitionConfig config =
        PartitionConfig.of(PartitionConfig.Type.SHARDS, null, null, 2, null, null);
    Partition partition = partition(config, 50, 1);
    assertCovers(partition);
    for (int[] own : partition.classCounts(DATA, CLASSES)) {
      assertEquals(40, Arrays.stream(own).sum());
      assertTrue(Arrays.stream(own).filter(count -> count > 0).count() <= 2);
    }
  }

  @Test
  void aColumnGivesAClientForEachValue() {
    PartitionConfig config =
        PartitionConfig.of(PartitionConfig.Type.COLUMN, null, null, null, "region", null);
    Partition partition = partition(config, 0, 1);
    assertCovers(partition);
    assertEquals(7, partition.clients());
    assertEquals(200, partition.size(6));
  }

  @Test
  void byChanceSizesDifferByOneAtMost() {
    Partition partition = partition(PartitionConfig.defaults(), 7, 1);
    assertCovers(partition);
    int[] sizes = IntStream.range(0, 7).map(partition::size).sorted().toArray();
    assertTrue(sizes[6] - sizes[0] <= 1, Arrays.toString(sizes));
  }

  @Test
  void whatCannotBeDealtIsRefusedInOneLine() {
    PartitionConfig greedy =
        PartitionConfig.of(PartitionConfig.Type.DIRICHLET, 0.1, 150, null, null, null);
    ConfigKeyException e = assertThrows(ConfigKeyException.class, () -> partition(greedy, 20, 1));
    assertTrue(e.getMessage().contains("raise alpha"), e.getMessage());
    assertThrows(
        ConfigKeyException.class, () -> Partition.of(dirichlet(1), 2, DATA, SAMPLES, false, 1));
  }

  /** The moments of a Dirichlet distribution: mean 1/n, variance (n - 1) / (n² (n alpha + 1)). */
  @ParameterizedTest
  @CsvSource({"0.03", "0.5", "3"})
  void drawsHaveTheDistributionsMoments(double alpha) {
    SplitMix64 random = new SplitMix64(11);
    int draws = 20_000;
    int parts = 5;
    List<Double> firsts = new ArrayList<>();
    for (int i = 0; i < draws; i++) {
      double[] shares = Dirichlet.draw(parts, alpha, random);
      assertEquals(1, Arrays.stream(shares).sum(), 1e-12);
      firsts.add(shares[0]);
    }
    double mean = firsts.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    double variance = firsts.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum() / (draws - 1);
    double expected = (parts - 1) / (parts * parts * (parts * alpha + 1));
    assertEquals(1.0 / parts, mean, 5 * Math.sqrt(expected / draws));
    assertEquals(expected, variance, 0.05 * expected);
  }
}
