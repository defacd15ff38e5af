package dev.lockstep.localize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.comm.Communicator;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.localize.files.WeightsFile;
import dev.lockstep.localize.fit.Certainty;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkBuilder;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.Ranges;
import dev.lockstep.testing.RankThreads;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
class LocalizerTest {
  private static SplittingConfig settings(String algorithm) {
    return ConfigLoader.parse(
            LocalizationConfig.class, "test", "algorithm: {" + algorithm + "}", List.of())
        .algorithm();
  }

  private static Localizer localizer(Communicator group, String algorithm) {
    return Localizer.builder(group).settings(settings(algorithm)).build();
  }

  private static Localization located(Network network, String algorithm) {
    try (Communicator alone = Communicator.single();
        Localizer localizer = localizer(alone, algorithm)) {
      return localizer.locate(network);
    }
  }

  /** A network's distances with every one scaled. */
  private static Network scaled(Network network, double factor) {
    NetworkBuilder builder = Network.builder(2);
    double[] anchors = network.anchorPositions();
    for (int k = 0; k < network.anchors(); k++) {
      builder.anchor("A" + k, factor * anchors[2 * k], factor * anchors[2 * k + 1]);
    }
    addRanges(builder, network, factor, network.sensors());
    return builder.build();
  }

  private static void addRanges(
      NetworkBuilder builder, Network network, double factor, int sensors) {
    Ranges between = network.sensorRanges();
    for (int r = 0; r < between.count(); r++) {
      if (between.second(r) < sensors) {
        double distance = factor * between.distances()[r];
        builder.range("" + between.first(r), "" + between.second(r), distance);
      }
    }
    Ranges toAnchors = network.anchorRanges();
    for (int r = 0; r < toAnchors.count(); r++) {
      if (toAnchors.first(r) < sensors) {
        double distance = factor * toAnchors.distances()[r];
        builder.range("" + toAnchors.first(r), "A" + toAnchors.second(r), distance);
      }
    }
  }

  @Test
  void theDenseFormFollowsThePublishedTrajectory() throws IOException {
    JsonNode expected =
        new JsonMapper().readTree(Networks.file("snl30-seed0-expected.json").toFile());
    Network network = Networks.read("snl30-seed0.json");
    double[] weights = WeightsFile.read(Networks.file("snl30-seed0-expected.json"), 30);
    try (Communicator alone = Communicator.single();
        Localizer localizer =
            Localizer.builder(alone)
                .settings(
                    settings(
                        "form: dense, weights: given, prox: inexact, max_iterations: 50, refine: false,"
                            + " record: [1, 5, 20, 50]"))
                .weights(weights)
                .build()) {
      for (IterationPoint point : localizer.locate(network).trace()) {
        double mse =
            expected.at("/mse_by_iteration_inexact_prox/" + point.iteration()).doubleValue();
        assertEquals(mse, point.mse(), 1e-9 * mse, "iteration " + point.iteration());
      }
    }
  }

  @Test
  void theSparseFormConvergesAndRefinementImprovesOnIt() {
    Network network = Networks.read("snl30-seed0.json");
    Localization result = located(network, "record: [100, 200]");

    assertEquals(0.0018327, result.trace().get(0).mse(), 1e-4 * 0.0018327);
    assertEquals(4.314, result.trace().get(1).meanObjective(), 5e-4 * 4.314);
    assertEquals(500, result.iterations());
    assertEquals(0.00710, result.rmse(), 2e-5, "maximum likelihood");
    double expected =
        IntStream.range(0, 30)
            .mapToDouble(result::standardDeviation)
            .map(deviation -> deviation * deviation)
            .average()
            .orElseThrow();
    assertEquals(0.00869, Math.sqrt(expected), 0.0015, "near the Cramér–Rao bound");
  }

  @Test
  void uncertaintyIsThatOfTheRefinedEstimateOrNotComputed() {
    Network network = Networks.read("radar-20-8.json");
    Localization refined = located(network, "max_iterations: 300");
    Localization unrefined = located(network, "max_iterations: 300, refine: false");
    Localization quick = located(network, "max_iterations: 300, refine: false, uncertainty: false");

    assertArrayEquals(refined.relaxation().positions(), unrefined.positions());
    assertArrayEquals(refined.covariances(), unrefined.covariances());
    assertEquals(5, unrefined.ambiguous().get(0).sensor());
    assertArrayEquals(unrefined.positions(), quick.positions());
    assertTrue(quick.ambiguous().isEmpty() && Double.isNaN(quick.standardDeviation(3)));
    assertEquals(0, quick.refinementIterations());
  }

  @Test
  void ranksGetTheBitsThatOneGets() throws Exception {
    Network network = Networks.read("radar-20-8.json");
    Localization alone = located(network, "max_iterations: 60");

    for (Localization one :
        RankThreads.run(
            2,
            group -> {
              try (Localizer localizer = localizer(group, "max_iterations: 60")) {
                return localizer.locate(network);
              }
            })) {
      assertArrayEquals(alone.positions(), one.positions());
      assertArrayEquals(alone.covariances(), one.covariances());
      assertEquals(alone.objective(), one.objective());
    }
  }

  @Test
  void anUpdateGoesOnFromWhereTheSensorsWere() {
    Network network = Networks.generated(40, 8, 0.45, 2, 0.01);
    String algorithm = "max_iterations: 2000, tolerance: 5.0e-3";
    try (Communicator alone = Communicator.single();
        Localizer localizer = localizer(alone, algorithm)) {
      Localization first = localizer.locate(scaled(network, 1));
      Localization again = localizer.update(scaled(network, 1.01));

      assertTrue(
          again.iterations() < first.iterations(),
          again.iterations() + " after " + first.iterations());
      Localization cold = located(scaled(network, 1.01), algorithm);
      for (int i = 0; i < 80; i++) {
        assertEquals(cold.positions()[i], again.positions()[i], 1e-4, "coordinate " + i);
      }
    }
  }

  @Test
  void sensorsJoinAndLeave() {
    Network all = Networks.generated(40, 8, 0.5, 2, 0.01);
    Network whole = scaled(all, 1);
    NetworkBuilder fewer = Network.builder(2);
    double[] anchors = all.anchorPositions();
    for (int k = 0; k < 8; k++) {
      fewer.anchor("A" + k, anchors[2 * k], anchors[2 * k + 1]);
    }
    addRanges(fewer, all, 1, 30);
    try (Communicator alone = Communicator.single();
        Localizer localizer = localizer(alone, "max_iterations: 300")) {
      Localization first = localizer.locate(whole);
      Localization without = localizer.update(fewer.build());
      Localization back = localizer.update(whole);

      assertEquals(30, without.network().sensors());
      for (int sensor = 0; sensor < 40; sensor++) {
        assertEquals(first.positions()[2 * sensor], back.positions()[2 * sensor], 1e-4);
      }
      assertEquals(300, back.iterations(), "counted from the update");
    }
  }

  @Test
  void progressIsToldOnTheWay() {
    List<IterationPoint> told = new ArrayList<>();
    try (Communicator alone = Communicator.single();
        Localizer localizer =
            Localizer.builder(alone)
                .settings(settings("max_iterations: 30"))
                .progress(told::add)
                .build()) {
      assertEquals(told, localizer.locate(Networks.read("radar-20-8.json")).history());
    }

    assertEquals(1, told.get(0).iteration());
    assertEquals(30, told.get(told.size() - 1).iteration());
    assertTrue(told.get(told.size() - 1).rmse() < told.get(0).rmse());
  }

  @Test
  void oneOutlierDoesNotMoveWhatTheRelaxationHasPlacedRight() {
    // A radio that gave 33.7 m for 5 m; the others are right to the millimetre.
    Network network =
        Network.builder(2)
            .anchor("A", 0, 0)
            .anchor("B", 10, 0)
            .anchor("C", 10, 10)
            .anchor("D", 0, 10)
            .sensor("s", 3, 4)
            .sensor("t", 7, 2)
            .range("s", "A", 33.7)
            .range("s", "B", 8.062)
            .range("s", "C", 9.22)
            .range("s", "D", 6.708)
            .range("t", "A", 7.28)
            .range("t", "B", 3.606)
            .range("t", "C", 8.544)
            .range("t", "D", 10.63)
            .range("s", "t", 4.472)
            .build();

    Localization result = located(network, "max_iterations: 2000");

    assertTrue(result.rmse() < 1e-3, "RMSE " + result.rmse());
    assertEquals(Certainty.Verdict.DOUBTFUL, result.certainty().verdict());
    assertEquals("A", result.fit().worst().get(0).to());
    assertEquals(1, result.fit().worst().size());
    assertTrue(
        result.certainty().reasons().get(1).startsWith("located without 1 distance"),
        result.certainty().reasons().toString());
  }

  @Test
  void whatNativeCodeRefusesIsTheNetworksFault() {
    Network network = Networks.read("radar-20-8.json");
    try (Communicator alone = Communicator.single();
        Localizer localizer =
            Localizer.builder(alone)
                .settings(settings("form: dense, weights: given"))
                .weights(new double[400])
                .build()) {
      assertThrows(NetworkException.class, () -> localizer.locate(network));
    }
  }

  @Test
  void callsOutOfOrderAreRefused() {
    Network network = Networks.read("radar-20-8.json");
    try (Communicator alone = Communicator.single();
        Localizer localizer = localizer(alone, "max_iterations: 1")) {
      assertThrows(IllegalStateException.class, () -> localizer.update(network));
      localizer.locate(network);
      Network space = Networks.generated(10, 5, 2, 3, 0.05);
      assertThrows(IllegalArgumentException.class, () -> localizer.update(space));
      localizer.close();
      localizer.close();
      assertThrows(IllegalStateException.class, () -> localizer.update(network));
    }
  }
}
