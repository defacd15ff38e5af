package dev.lockstep.localize.fit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkBuilder;
import dev.lockstep.localize.network.Noise;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CertaintyTest {
  private static final double[][] ANCHORS = {{0, 0}, {10, 0}, {0, 10}, {10, 10}, {5, 12}};
  private static final double[] POSITIONS = {3, 4, 6, 5};

  /** Exact ranges from both sensors to all anchors and between them, but for one. */
  private static Network network(double betweenSensors) {
    NetworkBuilder builder = Network.builder(2);
    for (int anchor = 0; anchor < ANCHORS.length; anchor++) {
      builder.anchor("T" + anchor, ANCHORS[anchor]);
    }
    for (int sensor = 0; sensor < 2; sensor++) {
      for (int anchor = 0; anchor < ANCHORS.length; anchor++) {
        builder.range(
            "R" + sensor,
            "T" + anchor,
            Math.hypot(
                POSITIONS[2 * sensor] - ANCHORS[anchor][0],
                POSITIONS[2 * sensor + 1] - ANCHORS[anchor][1]));
      }
    }
    return builder.range("R0", "R1", betweenSensors).build();
  }

  private static Certainty certainty(Network network, Ambiguity... ambiguous) {
    GoodnessOfFit fit = GoodnessOfFit.of(network, POSITIONS, new Noise(0.05, 0));
    return Certainty.of(network, fit, List.of(), List.of(ambiguous), List.of());
  }

  @Test
  void rangesThatFitAndNoOtherPlacesAreUnique() {
    Certainty certainty = certainty(network(Math.hypot(3, 1)));
    assertEquals(Certainty.Verdict.UNIQUE, certainty.verdict());
    assertTrue(certainty.reasons().isEmpty());
  }

  @Test
  void anOutlierMakesItDoubtfulAndIsNamed() {
    Network network = network(33.7);
    GoodnessOfFit fit = GoodnessOfFit.of(network, POSITIONS, new Noise(0.05, 0));
    assertEquals(11 - 4, fit.degreesOfFreedom());
    // The standard deviation is at least 5 % of half the range.
    double standardised = (33.7 - Math.hypot(3, 1)) / (0.05 * 0.5 * 33.7);
    assertEquals(standardised * standardised, fit.chiSquare(), 1e-9);
    Certainty certainty = certainty(network);
    assertEquals(Certainty.Verdict.DOUBTFUL, certainty.verdict());
    assertTrue(
        certainty.reasons().get(0).contains("worst is R0 to R1, measured 33.70, located 3.162"),
        certainty.reasons().get(0));
  }

  @Test
  void anotherPlaceMakesItAmbiguousAndNamesTheSensor() {
    Certainty certainty =
        certainty(network(Math.hypot(3, 1)), new Ambiguity(1, new double[] {6, -5}, 0.3));
    assertEquals(Certainty.Verdict.AMBIGUOUS, certainty.verdict());
    assertEquals(
        List.of("sensor R1 could as well be elsewhere: see ambiguous"), certainty.reasons());
  }

  @Test
  void aPartThatDoesNotFitIsNamedThoughTheWholeNetworkDoes() {
    Network network = network(Math.hypot(3, 1));
    GoodnessOfFit fit = new GoodnessOfFit(1000, 1000, 0.6, List.of());
    List<PartFit> parts = new ArrayList<>();
    for (int part = 0; part < 20; part++) {
      parts.add(new PartFit(List.of(1), 50, 50));
    }
    assertEquals(
        Certainty.Verdict.UNIQUE,
        Certainty.of(network, fit, parts, List.of(), List.of()).verdict());
    parts.set(7, new PartFit(List.of(0), 120, 50));
    Certainty certainty = Certainty.of(network, fit, parts, List.of(), List.of());
    assertEquals(Certainty.Verdict.DOUBTFUL, certainty.verdict());
    assertEquals(
        List.of(
            "the distances around sensor R0 do not fit: chi-square 120 with 50 degrees of freedom"),
        certainty.reasons());
  }

  @Test
  void chiSquareOfPartsAddsUpToTheNetworks() {
    Network network = network(33.7);
    Noise noise = new Noise(0.05, 0);
    List<PartFit> parts = PartFit.of(network, POSITIONS, noise);
    assertEquals(1, parts.size());
    assertEquals(List.of(0, 1), parts.get(0).sensors());
    GoodnessOfFit fit = GoodnessOfFit.of(network, POSITIONS, noise);
    assertEquals(fit.chiSquare(), parts.get(0).chiSquare(), 1e-9);
    assertEquals(fit.degreesOfFreedom(), parts.get(0).degreesOfFreedom(), 1e-9);
  }

  @Test
  void asManyRangesAsCoordinatesCheckNothing() {
    Network network = network(1);
    Certainty certainty =
        Certainty.of(
            network, new GoodnessOfFit(0, 0, 0.6, List.of()), List.of(), List.of(), List.of());
    assertEquals(Certainty.Verdict.DOUBTFUL, certainty.verdict());
  }

  @Test
  void chiSquareIsRejectedBeyondItsQuantileOfOneInAThousand() {
    // From tables: 29.588 with 10 degrees of freedom, 149.449 with 100, 1143.917 with 1,000.
    assertFalse(new GoodnessOfFit(29.2, 10, 0.6, List.of()).rejects());
    assertTrue(new GoodnessOfFit(30.0, 10, 0.6, List.of()).rejects());
    assertFalse(new GoodnessOfFit(149.2, 100, 0.6, List.of()).rejects());
    assertTrue(new GoodnessOfFit(149.8, 100, 0.6, List.of()).rejects());
    assertFalse(new GoodnessOfFit(1143.5, 1000, 0.6, List.of()).rejects());
    assertTrue(new GoodnessOfFit(1144.5, 1000, 0.6, List.of()).rejects());
  }
}
