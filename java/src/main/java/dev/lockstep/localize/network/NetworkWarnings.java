package dev.lockstep.localize.network;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What is known of a network before it is located. */
public final class NetworkWarnings {
  private NetworkWarnings() {}

  /**
   * Combined duplicates, anchors on a line or in a plane, sensors that can move without a distance
   * changing, and groups that hang on two stations (in space: on three).
   *
   * @return a sentence each; empty where there is nothing to tell
   */
  public static List<String> of(Network network) {
    List<String> warnings = new ArrayList<>();
    if (network.repeatedPairs() > 0) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "%,d pairs of stations have several ranges, which are combined"
                  + " (measurements.duplicates says how)",
              network.repeatedPairs()));
    }
    AnchorShape.warning(network).ifPresent(warnings::add);
    warnings.addAll(Flexibility.describe(network));
    warnings.addAll(Hinges.describe(network));
    return warnings;
  }
}
