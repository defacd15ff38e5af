package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class DistributedSamplerTest {
  private static final long[] SAMPLES = LongStream.range(100, 203).toArray();
  private static final int BATCH = 10;

  private static DistributedSampler[] samplers(int worldSize) {
    DistributedSampler[] samplers = new DistributedSampler[worldSize];
    for (int rank = 0; rank < worldSize; rank++) {
      samplers[rank] = new DistributedSampler(SAMPLES, BATCH, 9, rank, worldSize);
    }
    return samplers;
  }

  /** The samples of every step of one epoch, ranks in order. */
  private static List<long[]> globalBatches(DistributedSampler[] samplers) {
    List<long[]> steps = new ArrayList<>();
    while (samplers[0].hasNext()) {
      List<Long> batch = new ArrayList<>();
      double weight = 0;
      for (DistributedSampler sampler : samplers) {
        DistributedSampler.Batch share = sampler.next();
        for (int i = 0; i < share.count(); i++) {
          batch.add(share.indices()[share.from() + i]);
        }
        weight += share.weight();
        assertEquals(Math.min(BATCH, SAMPLES.length - steps.size() * BATCH), share.globalCount());
      }
      assertEquals(1, weight, 1e-12);
      steps.add(batch.stream().mapToLong(Long::longValue).toArray());
    }
    return steps;
  }

  @Test
  void theGlobalBatchIsTheSameWhateverTheWorldSize() {
    List<long[]> alone = globalBatches(samplers(1));
    assertEquals(11, alone.size());
    // With 7 ranks four have no sample of the last batch, which holds three.
    for (int worldSize : new int[] {2, 3, 4, 7, 16}) {
      List<long[]> together = globalBatches(samplers(worldSize));
      assertEquals(alone.size(), together.size());
      for (int step = 0; step < alone.size(); step++) {
        assertArrayEquals(alone.get(step), together.get(step));
      }
    }
  }

  @Test
  void anEpochHoldsEverySampleOnce() {
    DistributedSampler[] samplers = samplers(4);
    for (int epoch = 0; epoch < 3; epoch++) {
      long[] seen =
          globalBatches(samplers).stream().flatMapToLong(Arrays::stream).sorted().toArray();
      assertArrayEquals(SAMPLES, seen);
      Arrays.stream(samplers).forEach(DistributedSampler::nextEpoch);
    }
  }

  @Test
  void everyEpochHasAnotherOrder() {
    DistributedSampler sampler = samplers(1)[0];
    long[] first = globalBatches(new DistributedSampler[] {sampler}).get(0);
    sampler.nextEpoch();
    long[] second = globalBatches(new DistributedSampler[] {sampler}).get(0);
    assertFalse(Arrays.equals(first, second));
  }

  @Test
  void aRestoredSamplerGoesOnWhereTheOtherStood() {
    DistributedSampler first = samplers(2)[1];
    first.nextEpoch();
    first.next();
    first.next();
    DistributedSampler second = samplers(2)[1];
    second.seek(first.position());
    assertEquals(new DistributedSampler.Position(1, 2, 20), second.position());
    while (first.hasNext()) {
      DistributedSampler.Batch a = first.next();
      DistributedSampler.Batch b = second.next();
      assertArrayEquals(slice(a), slice(b));
    }
    assertFalse(second.hasNext());
  }

  private static long[] slice(DistributedSampler.Batch batch) {
    return Arrays.copyOfRange(batch.indices(), batch.from(), batch.from() + batch.count());
  }

  @Test
  void ordersAreFixedByTheSeedForever() {
    assertArrayEquals(
        new long[] {100, 121, 146, 171, 198, 118, 155, 149, 138, 116},
        slice(samplers(1)[0].next()));
  }

  @Test
  void aBatchLargerThanTheDataIsTheData() {
    DistributedSampler sampler = new DistributedSampler(SAMPLES, 1 << 30, 0, 0, 1);
    assertEquals(1, sampler.stepsPerEpoch());
    assertEquals(SAMPLES.length, sampler.next().globalCount());
  }

  @Test
  void refusesWhatCannotBeSampled() {
    assertThrows(
        IllegalArgumentException.class, () -> new DistributedSampler(new long[0], 1, 0, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> new DistributedSampler(SAMPLES, 0, 0, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> new DistributedSampler(SAMPLES, 1, 0, 1, 1));
    DistributedSampler sampler = samplers(1)[0];
    assertThrows(
        IllegalArgumentException.class,
        () -> sampler.seek(new DistributedSampler.Position(0, 12, 113)));
    sampler.seek(new DistributedSampler.Position(0, 11, 103));
    IllegalStateException e = assertThrows(IllegalStateException.class, sampler::next);
    assertTrue(e.getMessage().contains("epoch 0 is over"), e.getMessage());
  }

  @Test
  void changingSizesAndSharesLeaveNoSampleOutAndSeeNoneTwice() {
    DistributedSampler[] ranks = new DistributedSampler[3];
    for (int rank = 0; rank < 3; rank++) {
      ranks[rank] = new DistributedSampler(SAMPLES, 4, 9, rank, 3);
    }
    List<Long> seen = new ArrayList<>();
    for (int step = 0; ranks[0].hasNext(); step++) {
      int size = 4 + 3 * step;
      int joint = 0;
      for (int rank = 0; rank < 3; rank++) {
        ranks[rank].resize(size);
        ranks[rank].share(new double[] {0.5, 0.2 + 0.1 * step, 0.3});
        DistributedSampler.Batch batch = ranks[rank].next();
        for (int i = 0; i < batch.count(); i++) {
          seen.add(batch.indices()[batch.from() + i]);
        }
        joint += batch.count();
        assertEquals(Math.min(size, SAMPLES.length - seen.size() + joint), batch.globalCount());
      }
    }
    assertEquals(Arrays.stream(SAMPLES).boxed().toList(), seen.stream().sorted().toList());
  }

  @Test
  void sharesAreRoundedToTheNearestSample() {
    DistributedSampler sampler = new DistributedSampler(SAMPLES, 9, 9, 1, 2);
    sampler.share(new double[] {2, 1});
    assertEquals(3, sampler.next().count());
    assertThrows(IllegalArgumentException.class, () -> sampler.share(new double[] {1, -1}));
    assertThrows(IllegalArgumentException.class, () -> sampler.share(new double[] {1}));
    assertThrows(IllegalArgumentException.class, () -> sampler.resize(0));
  }
}
