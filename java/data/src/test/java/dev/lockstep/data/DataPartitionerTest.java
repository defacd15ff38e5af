package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DataPartitionerTest {
  @Test
  void rangesFollowOneAnotherAndDifferByOneAtMost() {
    for (long samples : new long[] {0, 1, 2, 3, 10, 19_985, 5_000_000_000L}) {
      for (int worldSize = 1; worldSize <= 7; worldSize++) {
        DataPartitioner partitioner = new DataPartitioner(samples, worldSize);
        long next = 0;
        for (int rank = 0; rank < worldSize; rank++) {
          DataPartitioner.Range range = partitioner.partition(rank);
          assertEquals(next, range.from());
          assertEquals(range.size(), partitioner.size(rank));
          long extra = range.size() - samples / worldSize;
          assertTrue(extra == 0 || extra == 1, samples + " over " + worldSize + ": " + range);
          next = range.to();
        }
        assertEquals(samples, next);
      }
    }
  }

  @Test
  void indicesAreThoseOfTheRange() {
    DataPartitioner partitioner = new DataPartitioner(7, 3);
    assertArrayEquals(new long[] {0, 1, 2}, partitioner.indices(0));
    assertArrayEquals(new long[] {3, 4}, partitioner.indices(1));
    assertArrayEquals(new long[] {5, 6}, partitioner.indices(2));
  }

  @Test
  void refusesRanksThatDoNotExist() {
    assertThrows(IllegalArgumentException.class, () -> new DataPartitioner(7, 3).partition(3));
    assertThrows(IllegalArgumentException.class, () -> new DataPartitioner(7, 3).partition(-1));
    assertThrows(IllegalArgumentException.class, () -> new DataPartitioner(7, 0));
    assertThrows(IllegalArgumentException.class, () -> new DataPartitioner(-1, 1));
  }
}
