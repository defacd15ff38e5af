package dev.lockstep.examples;

import dev.lockstep.comm.Communicator;
import dev.lockstep.localize.Localization;
import dev.lockstep.localize.Localizer;
import dev.lockstep.localize.network.Network;

/** Locates a network again and again while its stations move. */
public final class Tracking {
  private Tracking() {}

  /** Where measurements come from. */
  public interface Radar {
    boolean measures();

    Network network();
  }

  /** Follows the network until the radar stops. */
  public static Localization follow(Network first, Radar radar) {
    try (Communicator ranks = Communicator.fromEnvironment();
        Localizer localizer = Localizer.builder(ranks).noiseFactor(0.02).build()) {
      Localization now = localizer.locate(first);
      while (radar.measures()) {
        now =
            localizer.update(
                radar.network()); // Network.builder(2).anchor("T1", 0.1, 0.1)….range("R1", "T1",
        // 0.4).build()
      }
      return now;
    }
  }
}
