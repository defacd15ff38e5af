package dev.lockstep.localize.fit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkBuilder;
import dev.lockstep.localize.network.Noise;
import org.junit.jupiter.api.Test;

class DeviceOffsetsTest {
  private static final double SIGMA = 0.03;
  private static final double SPREAD = 0.05;
  private static final double OFFSET = 0.1;
  private static final double MEASURED = 0.1;
  private static final int OTHERS = 8;
  private static final double[][] ANCHORS = {{0, 0}, {1, 0}, {0, 1}, {1, 1}, {0.5, 1.2}};

  /** The first two sensors read long to all anchors, and short to each other. */
  private static Network network(double[] places) {
    NetworkBuilder builder = Network.builder(2);
    for (int a = 0; a < ANCHORS.length; a++) {
      builder.anchor("A" + a, ANCHORS[a][0], ANCHORS[a][1]);
    }
    for (int s = 0; s < 2 + OTHERS; s++) {
      builder.sensor("S" + s);
    }
    for (int s = 0; s < 2 + OTHERS; s++) {
      for (int a = 0; a < ANCHORS.length; a++) {
        double offset = s < 2 ? OFFSET : 0;
        builder.range("S" + s, "A" + a, offset + apart(places, 2 * s, ANCHORS[a]));
      }
    }
    return builder.range("S0", "S1", MEASURED).build();
  }

  private static double[] places() {
    double[] places = new double[2 * (2 + OTHERS)];
    for (int s = 0; s < 2 + OTHERS; s++) {
      double radius = s < 2 ? 0.02 : 0.3;
      double angle = s < 2 ? Math.PI * s : 2 * Math.PI * s / OTHERS;
      places[2 * s] = 0.5 + radius * Math.cos(angle);
      places[2 * s + 1] = 0.5 + radius * Math.sin(angle);
    }
    return places;
  }

  private static double apart(double[] places, int at, double[] other) {
    return Math.hypot(places[at] - other[0], places[at + 1] - other[1]);
  }

  @Test
  void aDistanceShorterThanItsOffsetsCountsInChiSquareAsFarOffAsItIs() {
    double[] places = places();
    Network network = network(places);
    Noise noise = new Noise(0, SIGMA, SPREAD);

    DeviceOffsets fit = DeviceOffsets.fit(network, places, noise, 0);

    double left = fit.network().sensorRanges().distances()[0];
    assertEquals(MEASURED - fit.offsets()[0] - fit.offsets()[1], left, 1e-12);
    assertTrue(left < -SIGMA / 3, "the offsets are longer than the distance: " + left);
    assertEquals(0, fit.locatable().sensorRanges().distances()[0]);
    double[] at = fit.positions();
    double expected = Math.pow((left - Math.hypot(at[0] - at[2], at[1] - at[3])) / SIGMA, 2);
    for (int r = 0; r < network.anchorRanges().count(); r++) {
      int sensor = network.anchorRanges().first(r);
      int anchor = network.anchorRanges().second(r);
      double offsets = fit.offsets()[sensor] + fit.offsets()[2 + OTHERS + anchor];
      double measured = network.anchorRanges().distances()[r];
      expected +=
          Math.pow((measured - offsets - apart(at, 2 * sensor, ANCHORS[anchor])) / SIGMA, 2);
    }
    Noise plain = noise.withoutOffsets();
    assertEquals(expected, GoodnessOfFit.of(fit.network(), at, plain).chiSquare(), 1e-9 * expected);
    assertTrue(GoodnessOfFit.of(fit.locatable(), at, plain).chiSquare() < expected - 0.1);
  }
}
