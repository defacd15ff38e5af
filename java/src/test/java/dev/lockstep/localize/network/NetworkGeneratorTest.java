package dev.lockstep.localize.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.localize.Networks;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NetworkGeneratorTest {
  @ParameterizedTest
  @CsvSource({"150, 20, 0.25, 2", "150, 40, 0.45, 3", "12, 6, 3, 2", "9, 4, 0.99, 2"})
  void exactlyThePairsWithinRangeAreMeasured(int sensors, int anchors, double range, int d) {
    Network network = Networks.generated(sensors, anchors, range, d, 0);
    double[] truth = network.truth().orElseThrow();
    double[] places = network.anchorPositions();

    Set<String> expected = new HashSet<>();
    for (int i = 0; i < sensors; i++) {
      for (int j = i + 1; j < sensors; j++) {
        if (distance(truth, i, truth, j, d) <= range) {
          expected.add(i + "-" + j);
        }
      }
      for (int k = 0; k < anchors; k++) {
        if (distance(truth, i, places, k, d) <= range) {
          expected.add(i + "-a" + k);
        }
      }
    }
    Set<String> measured = new HashSet<>();
    Ranges between = network.sensorRanges();
    for (int r = 0; r < between.count(); r++) {
      measured.add(between.first(r) + "-" + between.second(r));
      double exact = distance(truth, between.first(r), truth, between.second(r), d);
      assertEquals(exact, between.distances()[r], 1e-15);
    }
    Ranges toAnchors = network.anchorRanges();
    for (int r = 0; r < toAnchors.count(); r++) {
      measured.add(toAnchors.first(r) + "-a" + toAnchors.second(r));
    }
    assertEquals(expected, measured);
    assertEquals(expected.size(), network.ranges(), "no pair comes twice");
  }

  @Test
  void seedsDecide() {
    NetworkConfig config = NetworkConfig.of(50, 8, 0.4, 2, 1L);
    Network network =
        NetworkGenerator.generate(config, MeasurementsConfig.of(0.05, null, null, null, 1L));

    assertEquals(
        network,
        NetworkGenerator.generate(config, MeasurementsConfig.of(0.05, null, null, null, 1L)));
    Network noisier =
        NetworkGenerator.generate(config, MeasurementsConfig.of(0.05, null, null, null, 2L));
    assertEquals(0, noisier.meanSquaredError(network.truth().orElseThrow()), "same places");
    assertNotEquals(network, noisier);
    Network elsewhere =
        NetworkGenerator.generate(
            NetworkConfig.of(50, 8, 0.4, 2, 2L), MeasurementsConfig.of(0.05, null, null, null, 1L));
    assertTrue(elsewhere.meanSquaredError(network.truth().orElseThrow()) > 0);
  }

  @Test
  void noiseIsAFractionOfTheDistance() {
    Network network = Networks.generated(400, 40, 0.3, 2, 0.05);
    double[] truth = network.truth().orElseThrow();
    Ranges between = network.sensorRanges();
    double sum = 0;
    double squares = 0;
    for (int r = 0; r < between.count(); r++) {
      double exact = distance(truth, between.first(r), truth, between.second(r), 2);
      double relative = between.distances()[r] / exact - 1;
      sum += relative;
      squares += relative * relative;
    }
    assertTrue(between.count() > 10_000, "enough to tell: " + between.count());
    assertEquals(0, sum / between.count(), 0.002);
    assertEquals(0.05, Math.sqrt(squares / between.count()), 0.002);
  }

  @Test
  void manySensorsTakeSeconds() {
    // Of this thread alone: the machine may be busy with other work.
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long start = threads.getCurrentThreadCpuTime();
    Network network = Networks.generated(100_000, 5_000, 0.00564, 2, 0.05);
    double seconds = (threads.getCurrentThreadCpuTime() - start) / 1e9;
    assertTrue(seconds < 10, seconds + " s");

    double neighbors = 2.0 * network.sensorRanges().count() / network.sensors();
    assertEquals(10, neighbors, 0.3);
    assertTrue(References.lost(network).isEmpty());
  }

  @Test
  void aRangeThatIsTooShortIsRefused() {
    assertTrue(
        assertThrows(NetworkException.class, () -> Networks.generated(20, 4, 0.01, 2, 0.05))
            .getMessage()
            .contains("network.communication_range 0.01 is too short: 20 of 20 sensors"));
  }

  private static double distance(double[] from, int i, double[] to, int j, int d) {
    double square = 0;
    for (int axis = 0; axis < d; axis++) {
      square += Math.pow(from[i * d + axis] - to[j * d + axis], 2);
    }
    return Math.sqrt(square);
  }
}
