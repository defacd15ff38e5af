package dev.lockstep.localize.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.localize.Networks;
import dev.lockstep.localize.network.Neighbors;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NetworkJsonTest {
  private static final String ANCHORS = "[[0, 0], [1, 0], [0, 1]]";
  private static final String EDGES = "[[0, 0, 0.5],\n [0, 1, 0.7],\n [0, 2, 0.6]]";

  @TempDir Path folder;

  private Network read(String text) throws Exception {
    Path file = folder.resolve("network.json");
    Files.writeString(file, text);
    return NetworkFile.read(file, Optional.empty());
  }

  private String refusal(String text) {
    String message = assertThrows(NetworkException.class, () -> read(text)).getMessage();
    assertTrue(message.startsWith(folder.resolve("network.json") + ": "), message);
    return message;
  }

  private static String network(String sensorEdges, String anchorEdges) {
    return String.format(
        Locale.ROOT,
        "{\"anchors\": %s,\n\"n_sensors\": 2,\n\"sensor_edges\":\n%s,\n\"anchor_edges\":\n%s}",
        ANCHORS,
        sensorEdges,
        anchorEdges);
  }

  @Test
  void theRadarNetworkIsWhatItsSourceSays() {
    Network radar = Networks.read("radar-20-8.json");

    assertEquals("20 sensors, 8 anchors, 105 ranges in 2-D", radar.toString());
    assertEquals(0.05, radar.noiseFactor());
    assertEquals(0.5880145188953979, radar.truth().orElseThrow()[0]);
    assertArrayEquals(new double[] {0.1, 0.1}, first(radar.anchorPositions()));
    assertEquals(0, radar.meanSquaredError(radar.truth().orElseThrow()));
    assertEquals("7", radar.sensorName(7));
  }

  @Test
  void neighborsAreRead() {
    Neighbors neighbors = Objects.requireNonNull(Networks.read("snl30-seed0.json").neighbors());

    assertEquals(31, neighbors.offsets().length);
    assertArrayEquals(new int[] {2, 3, 4, 10, 12, 14, 26}, Arrays.copyOf(neighbors.sensors(), 7));
  }

  @Test
  void sensorsAreCountedWhereTheTruthIsNotKnown() throws Exception {
    Network network =
        read(
            String.format(
                Locale.ROOT,
                "{\"anchors\": %s, \"sensors\": null, \"sensor_edges\": [], \"anchor_edges\": %s}",
                ANCHORS,
                EDGES));

    assertEquals(1, network.sensors());
    assertTrue(network.truth().isEmpty());
    assertTrue(Double.isNaN(network.meanSquaredError(new double[] {0, 0})));
  }

  @Test
  void theSamePairWithTheSameDistanceCountsOnce() throws Exception {
    String both = "[[0, 0, 0.5], [0, 1, 0.7], [0, 2, 0.6], [1, 0, 0.5], [1, 1, 0.7], [1, 2, 1]]";

    assertEquals(7, read(network("[[0, 1, 0.2], [1, 0, 0.2]]", both)).ranges());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[[0, 2, 0.1]] | line 4: sensor_edges[0]: names the unknown sensor 2; there are sensor 0"
            + " to 1",
        "[[0, 1, -0.1]] | line 4: sensor_edges[0]: the range from sensor 0 to sensor 1 is -0.1; a"
            + " distance is a number of at least 0",
        "[[0, 1, NaN]] | line 4: sensor_edges[0]: the range from sensor 0 to sensor 1 is NaN",
        "[[1, 1, 0.1]] | line 4: sensor_edges[0]: is from sensor 1 to itself",
        "[[0, 1]] | line 4: sensor_edges[0]: has 2 values instead of 3",
        "[[0, 0.5, 1]] | line 4: sensor_edges[0]: names the unknown sensor 0.5",
        "[[0, 1, \"far\"]] | line 4: sensor_edges[0] holds far where a number belongs",
        "{} | line 4: sensor_edges is a list of lists of numbers",
      })
  void whatIsWrongIsToldWithItsPlace(String edges, String expected) {
    String message = refusal(network(edges, EDGES));

    assertTrue(message.contains(expected), message);
  }

  @Test
  void theLineIsThatOfTheElement() {
    String message = refusal(network("[]", "[[0, 0, 0.5],\n[0, 9, 0.7]]"));

    assertTrue(
        message.endsWith(
            "line 7: anchor_edges[1]: names the unknown anchor 9; there are anchor 0 to 2"),
        message);
  }

  @Test
  void sensorsThatCannotBeLocatedAreNamed() {
    String twoEach = "[[0, 0, 0.5], [0, 1, 0.7], [1, 0, 0.5], [1, 1, 0.5]]";
    assertTrue(
        refusal(network("[[0, 1, 0.4]]", twoEach))
            .contains("is disconnected: no chain of ranges connects sensors 0, 1 to at least 3"));
    assertTrue(
        refusal(network("[]", EDGES))
            .contains(
                "sensor 1 has too few ranges to be located; each needs ranges to at least 2"));
    assertTrue(
        refusal("{\"anchors\": [[0, 0], [1, 1]], \"sensor_edges\": [], \"anchor_edges\": []}")
            .contains("there are too few anchors: 2, but positions in 2-D need at least 3"));
  }

  @Test
  void aSensorThatNobodyUsefulMeasuresToIsOfNoUseItself() {
    String chain = "[[0, 0, 1], [0, 1, 1], [0, 2, 1], [1, 0, 1], [2, 1, 1]]";
    String text =
        network("[[1, 2, 0.4], [2, 3, 0.1]]", chain)
            .replace("\"n_sensors\": 2", "\"n_sensors\": 4");

    // Sensor 3 has one range; 1 and 2 have two, anchored through each other: a part by themselves.
    assertTrue(refusal(text).contains("connects sensors 1, 2, 3 to at least 3 anchors"));
    String joined = text.replace("[[1, 2,", "[[0, 1, 0.5], [1, 2,");
    assertTrue(refusal(joined).contains("sensor 3 has too few ranges"));
    String hanging = joined.replace("[1, 0, 1], [2, 1, 1]", "[1, 0, 1]");
    assertTrue(
        refusal(hanging).contains("sensors 2, 3 have too few ranges"), "2 has 1, and lost 3");
  }

  @Test
  void keysThatDoNotExistAreRefused() {
    assertTrue(refusal("{\"neighbours\": []}").contains("unknown key \"neighbours\"; keys are"));
    assertTrue(refusal("{\"anchors\": []}").contains("sensor_edges is missing"));
    assertTrue(refusal("{\"anchors\": [").contains("line 1: no JSON: "));
    assertTrue(refusal("[]").contains("a network is an object"));
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    Path missing = folder.resolve("none.json");

    assertEquals(
        missing + ": cannot be read: there is no such file",
        assertThrows(NetworkException.class, () -> NetworkFile.read(missing, Optional.empty()))
            .getMessage());
  }

  private static double[] first(double[] points) {
    return Arrays.copyOf(points, 2);
  }
}
