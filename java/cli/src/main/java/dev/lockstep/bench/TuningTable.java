package dev.lockstep.bench;

import dev.lockstep.comm.Algorithm;
import dev.lockstep.comm.Collective;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which algorithm was fastest at which size, as a tuning file ({@code
 * native-src/collective/README.md} has its format).
 */
public final class TuningTable {
  /** Another algorithm must be faster by this much, or the one for the sizes below goes on. */
  private static final double WORTH_A_CHANGE = 0.95;

  /** Memory is faster than messages at every size, where a group has it. */
  private static final Set<Algorithm> SHARED_MEMORY =
      EnumSet.of(Algorithm.DIRECT, Algorithm.HIERARCHICAL);

  private final StringBuilder text = new StringBuilder("lockstep-tuning 1\n");

  /** A file whose comments say where the figures come from. */
  public TuningTable(String provenance) {
    provenance.lines().forEach(line -> text.append("# ").append(line).append('\n'));
  }

  /**
   * Adds what one collective's measurements say.
   *
   * @param medians microseconds, by bytes and algorithm; not empty
   */
  public void add(Collective collective, NavigableMap<Long, Map<Algorithm, Double>> medians) {
    medians.forEach((bytes, times) -> comment(collective, bytes, times));
    Set<Algorithm> measured = EnumSet.noneOf(Algorithm.class);
    medians.values().forEach(times -> measured.addAll(times.keySet()));
    for (Algorithm algorithm : SHARED_MEMORY) {
      if (!measured.contains(algorithm)) {
        row(collective, "*", algorithm);
      }
    }
    NavigableMap<Long, Algorithm> changes = changes(medians);
    changes.forEach(
        (from, algorithm) -> {
          Long to = changes.higherKey(from);
          row(collective, to == null ? "*" : Long.toString(to), algorithm);
        });
  }

  /** By the size from which on they are used: halfway, in ratio, between two measured ones. */
  private static NavigableMap<Long, Algorithm> changes(
      NavigableMap<Long, Map<Algorithm, Double>> medians) {
    NavigableMap<Long, Algorithm> changes = new TreeMap<>();
    long before = 0;
    for (Map.Entry<Long, Map<Algorithm, Double>> size : medians.entrySet()) {
      Map.Entry<Algorithm, Double> best =
          size.getValue().entrySet().stream().min(Comparator.comparing(Map.Entry::getValue)).get();
      Algorithm current = changes.isEmpty() ? null : changes.lastEntry().getValue();
      Double currentTime = current == null ? null : size.getValue().get(current);
      if (currentTime == null || best.getValue() < WORTH_A_CHANGE * currentTime) {
        changes.put(Math.round(Math.sqrt((double) before * size.getKey())), best.getKey());
      }
      before = size.getKey();
    }
    return changes;
  }

  private void comment(Collective collective, long bytes, Map<Algorithm, Double> times) {
    text.append("# ").append(collective.text()).append(' ').append(bytes).append(" bytes, µs:");
    times.forEach(
        (algorithm, time) ->
            text.append(String.format(Locale.ROOT, " %s %.2f", algorithm.text(), time)));
    text.append('\n');
  }

  private void row(Collective collective, String below, Algorithm algorithm) {
    text.append(collective.text())
        .append(" * * ")
        .append(below)
        .append(' ')
        .append(algorithm.text())
        .append('\n');
  }

  /** The file's text. */
  @Override
  public String toString() {
    return text.toString();
  }
}
