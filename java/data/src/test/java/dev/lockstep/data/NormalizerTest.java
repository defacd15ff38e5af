package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lockstep.comm.Communicator;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class NormalizerTest {
  private static final long[] SAMPLES = LongStream.range(0, 1001).toArray();

  /** What every rank would contribute, gathered without a communicator. */
  private static Normalizer.Pair fit(Dataset dataset, int worldSize) {
    double[][] parts = new double[worldSize][];
    for (int rank = 0; rank < worldSize; rank++) {
      int own = rank;
      Normalizer.fit(
          dataset,
          SAMPLES,
          rank,
          worldSize,
          part -> {
            parts[own] = part;
            return part.clone();
          });
    }
    double[] gathered = Arrays.stream(parts).flatMapToDouble(Arrays::stream).toArray();
    return Normalizer.fit(dataset, SAMPLES, 0, worldSize, part -> gathered);
  }

  private static Dataset synthetic() {
    return DataFiles.open(
        new DataConfig(
            null,
            DataConfig.Format.AUTO,
            new SyntheticConfig(1001, 3, 2, 0.1, 5),
            FeatureConfig.ofVariables(List.of("x0", "x1", "x2")),
            List.of("y0", "y1"),
            true,
            0.2,
            0));
  }

  @Test
  void theWorldSizeChangesNothingButRounding() {
    try (Dataset dataset = synthetic()) {
      Normalizer.Statistics alone = fit(dataset, 1).features().statistics();
      for (int worldSize : new int[] {2, 3, 8, 1001}) {
        Normalizer.Statistics together = fit(dataset, worldSize).features().statistics();
        for (int c = 0; c < 3; c++) {
          assertEquals(alone.mean().get(c), together.mean().get(c), 1e-14);
          assertEquals(
              alone.standardDeviation().get(c), together.standardDeviation().get(c), 1e-14);
        }
      }
    }
  }

  @Test
  void aMeanFarLargerThanTheSpreadDoesNotCancel() {
    Moments all = new Moments(1);
    for (int rank = 0; rank < 4; rank++) {
      Moments own = new Moments(1);
      for (int i = 0; i < 1000; i++) {
        own.add(new double[] {1e9 + (i % 2)}, 0);
      }
      all.merge(own);
    }
    assertEquals(1e9 + 0.5, all.mean()[0]);
    assertEquals(0.5, all.standardDeviation()[0], 1e-9);
  }

  @Test
  void ranksWithoutSamplesDoNotCount() {
    Moments empty = new Moments(1);
    Moments one = new Moments(1);
    one.add(new double[] {3}, 0);
    one.add(new double[] {5}, 0);
    Moments all = Moments.ofRanks(concat(empty, one, empty), 1);
    assertEquals(2, all.count());
    assertArrayEquals(new double[] {4}, all.mean());
    assertArrayEquals(new double[] {1}, all.standardDeviation());
  }

  private static double[] concat(Moments... parts) {
    return Arrays.stream(parts).map(Moments::toArray).flatMapToDouble(Arrays::stream).toArray();
  }

  @Test
  void everyRankOfACommunicatorGetsTheSameBits() throws Exception {
    int worldSize = 3;
    ExecutorService threads = Executors.newFixedThreadPool(worldSize);
    try (Dataset dataset = synthetic()) {
      List<Future<Normalizer.Statistics>> results = new ArrayList<>();
      for (int rank = 0; rank < worldSize; rank++) {
        int own = rank;
        results.add(
            threads.submit(
                () -> {
                  try (Communicator communicator =
                      Communicator.inProcess("normalizer-test", own, worldSize, 20)) {
                    return Normalizer.fit(dataset, SAMPLES, communicator).targets().statistics();
                  }
                }));
      }
      Normalizer.Statistics expected = fit(dataset, worldSize).targets().statistics();
      for (Future<Normalizer.Statistics> result : results) {
        assertEquals(expected, result.get(30, TimeUnit.SECONDS));
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void appliesAndInverts() {
    Normalizer normalizer =
        new Normalizer(
            new Normalizer.Statistics(List.of("a", "b"), List.of(10.0, -1.0), List.of(2.0, 0.5)));
    double[] values = {12, -1, 6, 0};
    FloatBuffer single = FloatBuffer.allocate(4);
    normalizer.apply(values, 2, single);
    assertArrayEquals(new float[] {1, 0, -2, 2}, single.array());
    DoubleBuffer normalized = DoubleBuffer.allocate(4);
    normalizer.apply(values, 2, normalized);
    double[] back = normalized.array().clone();
    normalizer.invert(back, 2);
    assertArrayEquals(values, back, 1e-12);
  }

  @Test
  void aConstantColumnBecomesZero() {
    double constant = 0.1;
    Moments moments = new Moments(1);
    for (int i = 0; i < 1000; i++) {
      moments.add(new double[] {constant}, 0);
    }
    Normalizer normalizer = Normalizer.of(List.of("c"), moments, 0);
    assertEquals(List.of(1.0), normalizer.statistics().standardDeviation());
    FloatBuffer normalized = FloatBuffer.allocate(1);
    normalizer.apply(new double[] {constant}, 1, normalized);
    assertEquals(0, normalized.get(0), 1e-12);
  }

  @Test
  void isStoredAsJsonWithoutLosingABit() throws Exception {
    Normalizer.Statistics statistics;
    try (Dataset dataset = synthetic()) {
      statistics = fit(dataset, 2).features().statistics();
    }
    ObjectMapper mapper = new ObjectMapper();
    String json = mapper.writeValueAsString(statistics);
    assertEquals(statistics, mapper.readValue(json, Normalizer.Statistics.class));
  }

  @Test
  void refusesStatisticsThatDoNotFit() {
    List<String> names = List.of("a");
    for (double deviation : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> new Normalizer.Statistics(names, List.of(0.0), List.of(deviation)));
      assertTrue(e.getMessage().contains("standard deviation of a"), e.getMessage());
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> new Normalizer.Statistics(names, List.of(), List.of(1.0)));
  }
}
