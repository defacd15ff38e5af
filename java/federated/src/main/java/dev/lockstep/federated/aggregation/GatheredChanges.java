package dev.lockstep.federated.aggregation;

import dev.lockstep.comm.Communicator;
import dev.lockstep.federated.client.ClientUpdate;
import dev.lockstep.federated.config.AggregationConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has all changes of a round side by side, in the order of the assignments, for robust rules. */
public final class GatheredChanges implements Aggregation {
  private static final Logger log = LoggerFactory.getLogger(GatheredChanges.class);

  private final AggregationConfig config;
  private final RobustAggregation rule;
  private final int length;
  private final Communicator communicator;
  private final List<double[]> own = new ArrayList<>();

  public GatheredChanges(
      AggregationConfig config, RobustAggregation rule, int length, Communicator communicator) {
    this.config = config;
    this.rule = rule;
    this.length = length;
    this.communicator = communicator;
  }

  @Override
  public void begin(double[] weights) {
    own.clear();
  }

  @Override
  public void add(int number, double weight, double effectiveSteps, ClientUpdate update) {
    double[] numbered = new double[length + 1];
    numbered[0] = number;
    System.arraycopy(update.change(), 0, numbered, 1, length);
    own.add(numbered);
  }

  @Override
  public Optional<double[]> finish(Answers answers, int round) {
    double[] all = communicator.allGather(own.stream().flatMapToDouble(Arrays::stream).toArray());
    TreeMap<Integer, double[]> changes = new TreeMap<>();
    for (int from = 0; from < all.length; from += length + 1) {
      changes.put((int) all[from], Arrays.copyOfRange(all, from + 1, from + length + 1));
    }
    if (changes.size() < config.fewest()) {
      log.warn(
          "Round {}: {} usable changes, but {} with faulty: {} needs {}; the model stays as it"
              + " was.",
          round + 1,
          changes.size(),
          config.rule(),
          config.faulty(),
          config.fewest());
      return Optional.empty();
    }
    return Optional.of(rule.combine(List.copyOf(changes.values())));
  }
}
