package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ResidentDatasetTest {
  private static final int SAMPLES = 2500;

  /** Counts how often each sample is read; sample s has features s, −s and target 10 s. */
  private static class Counted implements Dataset {
    private final int[] reads = new int[SAMPLES];

    @Override
    public void read(long[] indices, int from, int count, double[] features, double[] targets) {
      for (int i = 0; i < count; i++) {
        int sample = Math.toIntExact(indices[from + i]);
        reads[sample]++;
        features[2 * i] = sample;
        features[2 * i + 1] = -sample;
        targets[i] = 10 * sample;
      }
    }

    @Override
    public long size() {
      return SAMPLES;
    }

    @Override
    public List<String> featureNames() {
      return List.of("a", "b");
    }

    @Override
    public List<String> targetNames() {
      return List.of("t");
    }

    @Override
    public long point(long sample) {
      return sample;
    }

    @Override
    public String description() {
      return "counted";
    }

    @Override
    public void close() {}
  }

  @Test
  void everySampleIsReadFromTheSourceOnce() {
    Counted source = new Counted();
    Dataset resident = ResidentDataset.of(source, 24 * SAMPLES);
    double[] features = new double[6];
    double[] targets = new double[3];
    for (int round = 0; round < 2; round++) {
      resident.read(new long[] {9, 2499, 0, 1024}, 1, 3, features, targets);
      assertArrayEquals(new double[] {2499, -2499, 0, 0, 1024, -1024}, features);
      assertArrayEquals(new double[] {24990, 0, 10240}, targets);
    }
    assertEquals(1, source.reads[2499]);
    assertEquals(1, source.reads[1024]);
    assertEquals(0, source.reads[9]);
  }

  @Test
  void threadsThatReadAtOnceGetTheirOwnSamples() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    CyclicBarrier start = new CyclicBarrier(2);
    try {
      for (int round = 0; round < 100; round++) {
        Dataset resident = ResidentDataset.of(new Counted(), 24 * SAMPLES);
        Future<Double> other = threads.submit(() -> sumOfTargets(resident, start, 1));
        Future<Double> one = threads.submit(() -> sumOfTargets(resident, start, 0));
        double expected = 10.0 * SAMPLES * (SAMPLES - 1) / 2;
        assertEquals(expected, one.get(30, TimeUnit.SECONDS));
        assertEquals(expected, other.get(30, TimeUnit.SECONDS));
      }
    } finally {
      threads.shutdownNow();
    }
  }

  /** Reads every sample; the two threads begin together and far apart, so that both fill rows. */
  private static double sumOfTargets(Dataset dataset, CyclicBarrier start, int half)
      throws Exception {
    double sum = 0;
    double[] target = new double[1];
    start.await(30, TimeUnit.SECONDS);
    for (int i = 0; i < SAMPLES; i++) {
      int sample = (i + half * SAMPLES / 2) % SAMPLES;
      dataset.read(new long[] {sample}, 0, 1, new double[2], target);
      sum += target[0];
    }
    return sum;
  }

  @Test
  void whatDoesNotFitIsNotKept() {
    Counted source = new Counted();
    assertSame(source, ResidentDataset.of(source, 24 * SAMPLES - 1));
  }

  /** Tables of genes have more columns than rows. */
  @Test
  void aFewRowsOfAMillionColumnsAreKept() {
    int columns = 1 << 20;
    Dataset wide =
        new Counted() {
          @Override
          public long size() {
            return 3;
          }

          @Override
          public List<String> featureNames() {
            return Collections.nCopies(columns, "gene");
          }

          @Override
          public void read(
              long[] indices, int from, int count, double[] features, double[] targets) {
            Arrays.fill(features, 0, columns, indices[from]);
          }
        };
    Dataset resident = ResidentDataset.of(wide, 1 << 26);
    double[] features = new double[2 * columns];
    resident.read(new long[] {2, 1}, 0, 2, features, new double[2]);
    assertEquals(2, features[columns - 1]);
    assertEquals(1, features[columns]);
  }

  @Test
  void anIndexOutsideIsRefusedAsByTheSource() {
    Dataset resident = ResidentDataset.of(new Counted(), 1 << 20);
    assertThrows(
        IndexOutOfBoundsException.class,
        () -> resident.read(new long[] {SAMPLES}, 0, 1, new double[2], new double[1]));
  }
}
