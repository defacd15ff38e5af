package dev.lockstep.train.engine;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.Dataset;
import dev.lockstep.data.DistributedSampler.Batch;
import dev.lockstep.data.Normalizer;
import dev.lockstep.model.FloatType;
import dev.lockstep.torch.TorchLibraries;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PrefetchingReaderTest {
  private static final long[] INDICES = {0, 1, 2, 3, 4, 5};

  /** Sample i has the feature i and the target 10 i; counts how often it is read. */
  private static class Counting implements Dataset {
    private final AtomicInteger reads = new AtomicInteger();
    private final CountDownLatch secondRead = new CountDownLatch(2);

    @Override
    public long size() {
      return INDICES.length;
    }

    @Override
    public List<String> featureNames() {
      return List.of("x");
    }

    @Override
    public List<String> targetNames() {
      return List.of("y");
    }

    @Override
    public void read(long[] indices, int from, int count, double[] features, double[] targets) {
      reads.incrementAndGet();
      secondRead.countDown();
      for (int i = 0; i < count; i++) {
        features[i] = indices[from + i];
        targets[i] = 10 * indices[from + i];
      }
    }

    @Override
    public long point(long sample) {
      return sample;
    }

    @Override
    public String description() {
      return "counting";
    }

    @Override
    public void close() {}
  }

  @BeforeAll
  static void load() {
    TorchLibraries.load();
  }

  private static PrefetchingReader reader(Dataset data, long worthNanos) {
    Normalizer asItIs =
        new Normalizer(new Normalizer.Statistics(List.of("c"), List.of(0.0), List.of(1.0)));
    return new PrefetchingReader(
        () ->
            new BatchReader(data, new Normalizer.Pair(asItIs, asItIs), false, FloatType.FLOAT32, 2),
        worthNanos);
  }

  private static MicroBatch piece(int from) {
    return new MicroBatch(new Batch(INDICES, from, 2, 2), 0, 2, true);
  }

  private static float firstInput(PrefetchingReader reader, MicroBatch piece) {
    try (PointerScope scope = new PointerScope()) {
      return (float) reader.read(piece).inputs().select(0, 0).item_double();
    }
  }

  @Test
  void theNextPieceIsReadWhileThePresentOneIsInUse() throws Exception {
    Counting data = new Counting();
    try (PrefetchingReader reader = reader(data, 0)) {
      List<MicroBatch> pieces = List.of(piece(0), piece(2), piece(4));
      reader.announce(pieces);
      assertEquals(0, firstInput(reader, pieces.get(0)));
      assertTrue(data.secondRead.await(30, SECONDS), "nobody asked for the second piece");
      assertEquals(2, firstInput(reader, pieces.get(1)));
      assertEquals(4, firstInput(reader, pieces.get(2)));
    }
    assertEquals(3, data.reads.get(), "each piece once");
  }

  @Test
  void aPieceThatWasNotAnnouncedIsReadAllTheSame() {
    Counting data = new Counting();
    try (PrefetchingReader reader = reader(data, 0)) {
      reader.announce(List.of(piece(0), piece(2)));
      assertEquals(0, firstInput(reader, piece(0)));
      assertEquals(4, firstInput(reader, piece(4)));
      assertEquals(2, firstInput(reader, piece(2)));
    }
  }

  @Test
  void quickReadsStayOnTheCallersThread() {
    Counting data = new Counting();
    try (PrefetchingReader reader = reader(data, Long.MAX_VALUE)) {
      reader.announce(List.of(piece(0), piece(2)));
      firstInput(reader, piece(0));
      assertEquals(1, data.reads.get());
    }
  }

  @Test
  void whatReadingAheadThrowsIsThrownWhereThePieceIsAskedFor() {
    IllegalStateException failure = new IllegalStateException("line 7");
    Counting data =
        new Counting() {
          @Override
          public void read(long[] indices, int from, int count, double[] x, double[] y) {
            if (from == 2) {
              throw failure;
            }
            super.read(indices, from, count, x, y);
          }
        };
    try (PrefetchingReader reader = reader(data, 0)) {
      reader.announce(List.of(piece(0), piece(2)));
      assertEquals(0, firstInput(reader, piece(0)));
      assertSame(
          failure, assertThrows(IllegalStateException.class, () -> firstInput(reader, piece(2))));
    }
  }
}
