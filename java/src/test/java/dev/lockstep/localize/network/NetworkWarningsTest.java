package dev.lockstep.localize.network;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.localize.fit.GoodnessOfFit;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class NetworkWarningsTest {
  private static final double[][] SQUARE = {{0, 0}, {10, 0}, {0, 10}, {10, 10}};

  private static NetworkBuilder anchors(double[]... positions) {
    NetworkBuilder builder = Network.builder(positions[0].length);
    for (int anchor = 0; anchor < positions.length; anchor++) {
      builder.anchor("T" + anchor, positions[anchor]);
    }
    return builder;
  }

  private static NetworkBuilder seen(NetworkBuilder builder, String sensor, int anchors) {
    for (int anchor = 0; anchor < anchors; anchor++) {
      builder.range(sensor, "T" + anchor, 6 + anchor);
    }
    return builder;
  }

  @Test
  void aGroupThatHangsOnTwoSensorsIsNamedWithThem() {
    NetworkBuilder builder = seen(seen(anchors(SQUARE), "h1", 4), "h2", 4);
    for (String sensor : List.of("f1", "f2", "f3")) {
      builder.range(sensor, "h1", 2).range(sensor, "h2", 3);
    }
    Network network = builder.range("f1", "f2", 1).range("f2", "f3", 1).build();
    List<String> warnings = NetworkWarnings.of(network);

    assertEquals(1, warnings.size(), warnings.toString());
    assertTrue(warnings.get(0).startsWith("Not rigid: f1, f2, f3 hang on h1 and h2 only"));
  }

  @Test
  void oneMoreRangeFromAsideHoldsTheGroup() {
    NetworkBuilder builder = seen(seen(anchors(SQUARE), "h1", 4), "h2", 4);
    for (String sensor : List.of("f1", "f2")) {
      builder.range(sensor, "h1", 2).range(sensor, "h2", 3);
    }

    assertEquals(
        List.of(), NetworkWarnings.of(builder.range("f1", "f2", 1).range("f1", "T0", 9).build()));
  }

  @Test
  void inSpaceAGroupThatHangsOnThreeStationsIsNamedWithThem() {
    double[][] corners = {{0, 0, 0}, {10, 0, 1}, {0, 10, 2}, {10, 10, 9}, {3, 4, 8}};
    NetworkBuilder builder = seen(seen(anchors(corners), "h1", 5), "h2", 5);
    for (String sensor : List.of("f1", "f2")) {
      builder.range(sensor, "h1", 2).range(sensor, "h2", 3).range(sensor, "T0", 4);
    }
    List<String> warnings = NetworkWarnings.of(builder.range("f1", "f2", 1).build());

    assertEquals(1, warnings.size(), warnings.toString());
    assertTrue(
        warnings
            .get(0)
            .startsWith(
                "Not rigid: f1, f2 hang on h1 and h2 and T0 only, and can be folded over the plane"),
        warnings.toString());
  }

  @Test
  void aGroupThatHangsOnOneSensorIsNamedWithItAlone() {
    NetworkBuilder builder = seen(anchors(SQUARE), "h1", 4);
    builder.range("f1", "h1", 2).range("f2", "h1", 3);
    List<String> warnings = NetworkWarnings.of(builder.range("f1", "f2", 2).build());

    assertTrue(
        warnings.stream()
            .anyMatch(
                w -> w.startsWith("Not rigid: f1, f2 hang on h1 only, and can turn about it")),
        warnings.toString());
  }

  @Test
  void sensorsThatCanMoveWithoutADistanceChangingAreNamed() {
    // A square of four bars on two sensors that are fixed: a linkage.
    NetworkBuilder builder = seen(seen(anchors(SQUARE), "h1", 4), "h2", 4);
    builder.range("m1", "h1", 3).range("m2", "h2", 3).range("m1", "m2", 4);
    // Two more that hang on these two alone move with them.
    builder.range("m3", "m1", 2).range("m3", "m2", 2.5);
    List<String> warnings = NetworkWarnings.of(builder.build());

    assertTrue(
        warnings.get(0).startsWith("Not rigid: m1, m2, m3 can move without a distance changing"),
        warnings.toString());
  }

  @Test
  void aHingeIsFoundAmongAThousandSensorsInTime() {
    NetworkBuilder builder = anchors(SQUARE);
    for (int sensor = 0; sensor < 1000; sensor++) {
      seen(builder, "s" + sensor, 3);
      for (int before = Math.max(0, sensor - 5); before < sensor; before++) {
        builder.range("s" + sensor, "s" + before, 1);
      }
    }
    for (String sensor : List.of("f1", "f2")) {
      builder.range(sensor, "s500", 2).range(sensor, "s700", 3);
    }
    List<String> warnings =
        assertTimeoutPreemptively(
            Duration.ofMinutes(2), () -> NetworkWarnings.of(builder.range("f1", "f2", 1).build()));

    assertEquals(1, warnings.size(), warnings.toString());
    assertTrue(warnings.get(0).startsWith("Not rigid: f1, f2 hang on s500 and s700 only"));
  }

  @Test
  void anchorsOnALineMirrorTheNetwork() {
    Network line = seen(anchors(new double[][] {{1, 1}, {2, 3}, {4, 7}}), "s", 3).build();
    Network almost = seen(anchors(new double[][] {{1, 1}, {2, 3}, {4, 7.1}}), "s", 3).build();

    assertTrue(NetworkWarnings.of(line).get(0).startsWith("The anchors lie on a line"));
    assertTrue(NetworkWarnings.of(almost).get(0).startsWith("The anchors lie almost on a line"));
  }

  @Test
  void anchorsNearlyInAPlaneLeaveTheHeightPoorlyDetermined() {
    double[][] corners = {{0, 0, 2}, {10, 0, 2}, {0, 10, 2.1}, {10, 10, 2}};
    String warning = NetworkWarnings.of(seen(anchors(corners), "s", 4).build()).get(0);

    assertTrue(warning.contains("almost in a plane: the height above it is poorly"), warning);
  }

  @Test
  void rangesInFeetBesideAnchorsInMetresAreNoFit() {
    double[] positions = {3, 4};
    NetworkBuilder metres = anchors(SQUARE);
    NetworkBuilder feet = anchors(SQUARE);
    for (int anchor = 0; anchor < SQUARE.length; anchor++) {
      double distance = Math.hypot(3 - SQUARE[anchor][0], 4 - SQUARE[anchor][1]);
      metres.range("s", "T" + anchor, distance * (anchor == 0 ? 1.5 : 1));
      feet.range("s", "T" + anchor, distance / 0.3048);
    }
    Noise noise = new Noise(0.05, 0);

    assertDoesNotThrow(() -> GoodnessOfFit.of(metres.build(), positions, noise).check());
    GoodnessOfFit wrong = GoodnessOfFit.of(feet.build(), positions, noise);
    String message = assertThrows(NetworkException.class, wrong::check).getMessage();
    assertTrue(message.contains("ranges and anchors are in one unit"), message);
  }
}
