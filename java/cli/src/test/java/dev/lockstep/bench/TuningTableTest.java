package dev.lockstep.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.comm.Algorithm;
import dev.lockstep.comm.Collective;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TuningTableTest {
  private static List<String> rows(NavigableMap<Long, Map<Algorithm, Double>> medians) {
    TuningTable table = new TuningTable("a test");
    table.add(Collective.ALL_REDUCE, medians);
    assertEquals("lockstep-tuning 1", table.toString().lines().findFirst().get());
    return table.toString().lines().filter(line -> line.startsWith("all-reduce")).toList();
  }

  private static Map<Algorithm, Double> times(double doubling, double ring) {
    return Map.of(Algorithm.RECURSIVE_DOUBLING, doubling, Algorithm.RING, ring);
  }

  @Test
  void theFastestTakesOverHalfwayBetweenSizes() {
    NavigableMap<Long, Map<Algorithm, Double>> medians = new TreeMap<>();
    medians.put(64L, times(1, 2));
    medians.put(1024L, times(3, 3.1));
    medians.put(16384L, times(9, 5));
    medians.put(65536L, times(20, 10));
    assertEquals(
        List.of(
            "all-reduce * * * direct",
            "all-reduce * * * hierarchical",
            "all-reduce * * 4096 recursive-doubling",
            "all-reduce * * * ring"),
        rows(medians));
  }

  @Test
  void aDifferenceWithinTheNoiseChangesNothing() {
    NavigableMap<Long, Map<Algorithm, Double>> medians = new TreeMap<>();
    medians.put(64L, times(1, 2));
    medians.put(128L, times(2, 1.97));
    medians.put(256L, times(4, 8));
    assertEquals("all-reduce * * * recursive-doubling", rows(medians).get(2));
    assertEquals(3, rows(medians).size());
  }

  @Test
  void sharedMemoryThatWasMeasuredMustWin() {
    NavigableMap<Long, Map<Algorithm, Double>> medians = new TreeMap<>();
    medians.put(64L, Map.of(Algorithm.DIRECT, 2.0, Algorithm.RING, 1.0));
    assertEquals(List.of("all-reduce * * * hierarchical", "all-reduce * * * ring"), rows(medians));
  }
}
