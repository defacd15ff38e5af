package dev.lockstep.localize;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Wall time of each phase. Not thread-safe. */
final class Phases {
  private final Map<String, Double> seconds = new LinkedHashMap<>();

  <T> T time(String phase, Supplier<T> work) {
    long start = System.nanoTime();
    T result = work.get();
    seconds.merge(phase, (System.nanoTime() - start) / 1e9, Double::sum);
    return result;
  }

  Map<String, Double> seconds() {
    return seconds;
  }
}
