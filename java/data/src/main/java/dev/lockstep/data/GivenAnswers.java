package dev.lockstep.data;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Targets that are among the features: a model of them copies, scores perfectly and is of no use.
 */
public final class GivenAnswers {
  private static final int MOST_NAMED = 5;

  private GivenAnswers() {}

  /**
   * Refuses targets that are features too, unless targets and features are all the same: that is an
   * autoencoder.
   *
   * @param location of the data, for the message
   * @param features what the features are of; equal where they are of the same value
   * @param targets what the targets are of, with their names
   * @throws IllegalArgumentException that names the targets
   */
  public static void refuse(String location, Set<?> features, Map<?, String> targets) {
    List<String> given =
        targets.entrySet().stream()
            .filter(target -> features.contains(target.getKey()))
            .map(Map.Entry::getValue)
            .toList();
    if (!given.isEmpty() && !features.equals(targets.keySet())) {
      String more =
          given.size() > MOST_NAMED ? " and " + (given.size() - MOST_NAMED) + " more" : "";
      throw new IllegalArgumentException(
          location
              + ": "
              + String.join(", ", given.subList(0, Math.min(MOST_NAMED, given.size())))
              + more
              + (given.size() == 1
                  ? " is a feature and a target; leave it out of data.features"
                  : " are features and targets; leave them out of data.features"));
    }
  }
}
