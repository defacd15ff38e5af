package com.example;

import dev.lockstep.comm.Communicator;
import dev.lockstep.localize.Localization;
import dev.lockstep.localize.Localizer;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkBuilder;
import java.util.Locale;

/** "For tracking" of the README: a station that moves among four towers. */
public final class Track {
  private Track() {}

  private static Network network(double x, double y) {
    double[][] towers = {{0, 0}, {1, 0}, {0, 1}, {1, 1}};
    NetworkBuilder network = Network.builder(2);
    for (int i = 0; i < towers.length; i++) {
      network.anchor("T" + i, towers[i][0], towers[i][1]);
    }
    for (int i = 0; i < towers.length; i++) {
      network.range("R1", "T" + i, Math.hypot(x - towers[i][0], y - towers[i][1]));
    }
    return network.build();
  }

  public static void main(String[] arguments) {
    try (Communicator ranks = Communicator.fromEnvironment();
        Localizer localizer = Localizer.builder(ranks).noiseFactor(0.02).build()) {
      Localization now = localizer.locate(network(0.3, 0.4));
      for (int step = 1; step <= 3; step++) {
        now = localizer.update(network(0.3 + 0.1 * step, 0.4));
      }
      System.out.printf(Locale.ROOT, "tracked: %.3f %.3f%n", now.positions()[0], now.positions()[1]);
    }
  }
}
