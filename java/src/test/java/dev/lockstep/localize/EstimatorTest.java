package dev.lockstep.localize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.localize.fit.Certainty;
import dev.lockstep.localize.fit.DeviceOffsets;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkBuilder;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.Noise;
import dev.lockstep.localize.network.Ranges;
import dev.lockstep.testing.RankThreads;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
class EstimatorTest {
  private static final int SENSORS = 25;
  private static final int ANCHORS = 6;
  private static final double SIGMA = 0.004;
  private static final double SPREAD = 0.03;

  private static Localization located(Network network, Noise noise) {
    return located(network, noise, "");
  }

  private static Localization located(Network network, Noise noise, String algorithm) {
    SplittingConfig settings =
        ConfigLoader.parse(
                LocalizationConfig.class, "test", "algorithm: {" + algorithm + "}", List.of())
            .algorithm();
    try (Communicator alone = Communicator.single();
        Localizer localizer = Localizer.builder(alone).settings(settings).noise(noise).build()) {
      return localizer.locate(network);
    }
  }

  private static double[] knownOffsets() {
    Random random = new Random(8);
    return random.doubles(SENSORS + ANCHORS, -2 * SPREAD, 2 * SPREAD).toArray();
  }

  /** Exact distances, plus the offsets of both ends, plus noise. */
  private static Network withOffsets(double[] offsets) {
    Network exact = Networks.generated(SENSORS, ANCHORS, 0.5, 2, 0);
    double[] truth = exact.truth().orElseThrow();
    Random random = new Random(9);
    NetworkBuilder builder = Network.builder(2);
    for (int k = 0; k < ANCHORS; k++) {
      builder.anchor("A" + k, exact.anchor(k, 0), exact.anchor(k, 1));
    }
    for (int k = 0; k < SENSORS; k++) {
      builder.sensor("S" + k, truth[2 * k], truth[2 * k + 1]);
    }
    for (Ranges ranges : List.of(exact.sensorRanges(), exact.anchorRanges())) {
      boolean isBetween = ranges == exact.sensorRanges();
      for (int r = 0; r < ranges.count(); r++) {
        int to = ranges.second(r);
        double off = offsets[ranges.first(r)] + offsets[isBetween ? to : SENSORS + to];
        double measured = ranges.distances()[r] + off + SIGMA * random.nextGaussian();
        if (measured > SPREAD) {
          builder.range("S" + ranges.first(r), (isBetween ? "S" : "A") + to, measured);
        }
      }
    }
    return builder.build();
  }

  @Test
  void offsetsOfDevicesAreFoundAlongWithThePositions() {
    double[] known = knownOffsets();
    Network network = withOffsets(known);

    Localization without = located(network, new Noise(0, SIGMA));
    Localization result = located(network, new Noise(0, SIGMA, SPREAD));

    assertEquals(Certainty.Verdict.DOUBTFUL, without.certainty().verdict());
    assertFalse(result.fit().rejects(), result.fit().toString());
    assertTrue(result.rmse() < without.rmse() / 4, result.rmse() + " instead of " + without.rmse());
    DeviceOffsets offsets = result.offsets().orElseThrow();
    int within = 0;
    for (int device = 0; device < known.length; device++) {
      double off = Math.abs(offsets.offsets()[device] - known[device]);
      within += off < 2 * offsets.deviations()[device] ? 1 : 0;
    }
    double expected = Arrays.stream(offsets.deviations()).average().orElseThrow();
    assertTrue(expected < SPREAD / 4, "the distances tell of them: " + expected);
    assertTrue(within >= 0.85 * known.length, within + " of " + known.length);
    assertTrue(without.offsets().isEmpty());
  }

  @Test
  void offsetsHaveTheSameBitsOnAnyNumberOfRanks() throws Exception {
    Network network = withOffsets(knownOffsets());
    Localization alone = located(network, new Noise(0, SIGMA, SPREAD));

    for (Localization one :
        RankThreads.run(
            2,
            group -> {
              try (Localizer localizer =
                  Localizer.builder(group).noise(new Noise(0, SIGMA, SPREAD)).build()) {
                return localizer.locate(network);
              }
            })) {
      assertArrayEquals(alone.positions(), one.positions());
      assertArrayEquals(
          alone.offsets().orElseThrow().offsets(), one.offsets().orElseThrow().offsets());
    }
  }

  @Test
  void offsetsOfLargeNetworksAreRefused() {
    Network network = Networks.generated(500, 20, 0.2, 2, 0.01);
    NetworkException refused =
        assertThrows(NetworkException.class, () -> located(network, new Noise(0.01, 0, SPREAD)));

    assertTrue(refused.getMessage().contains("measurements.device_offsets"));
  }

  @Test
  void theRelaxationOfExactDistancesIsTightAndThatIsSaid() {
    Localization exact =
        located(Networks.generated(30, 8, 0.7, 2, 0), new Noise(0.01, 0), "max_iterations: 3000");
    Localization noisy =
        located(
            Networks.generated(30, 8, 0.7, 2, 0.01), new Noise(0.01, 0), "max_iterations: 3000");

    assertEquals(30, exact.relaxation().tightSensors(exact.network()));
    assertTrue(
        exact.certainty().reasons().stream().anyMatch(each -> each.startsWith("the relaxation")),
        exact.certainty().toString());
    assertTrue(noisy.relaxation().tightSensors(noisy.network()) < 30);
    assertTrue(
        noisy.certainty().reasons().stream().noneMatch(each -> each.startsWith("the relaxation")));
  }
}
