package dev.lockstep.localize.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.localize.Networks;
import dev.lockstep.localize.network.Duplicates;
import dev.lockstep.localize.network.MeasurementsConfig;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.Noise;
import dev.lockstep.localize.network.Ranges;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NetworkCsvTest {
  private static final String ANCHORS = "anchor,x,y\nnorth,0.5,1\nwest,0,0\neast,1,0\n";
  private static final String RANGES =
      "from,to,range\nR1,north,0.6\nR1,west,0.5\neast,R1,0.7\nR1,R2,0.1\nR2,west,0.6\nnorth,R2,0.5\n";

  @TempDir Path folder;

  private Path write(String name, String text) throws Exception {
    Path file = folder.resolve(name);
    Files.writeString(file, text);
    return file;
  }

  private Network read(String text) throws Exception {
    return NetworkFile.read(write("ranges.csv", text), Optional.empty());
  }

  @Test
  void blocksOfOneFileMakeANetwork() throws Exception {
    Network network = read("# winter survey\n" + ANCHORS + "\n" + RANGES + "north,west,1.1\n");

    assertEquals("2 sensors, 3 anchors, 6 ranges in 2-D", network.toString());
    assertEquals("R1", network.sensorName(0));
    assertEquals("east", network.anchorName(2));
    assertArrayEquals(new double[] {0.5, 1, 0, 0, 1, 0}, network.anchorPositions());
    assertArrayEquals(new int[] {0, 1}, network.sensorRanges().pairs());
    assertArrayEquals(new double[] {0.6, 0.5, 0.7, 0.6, 0.5}, network.anchorRanges().distances());
  }

  @Test
  void anchorsMayHaveAFileOfTheirOwn() throws Exception {
    Network joined = read(ANCHORS + RANGES);
    Network apart =
        NetworkFile.read(
            write("only-ranges.csv", RANGES), Optional.of(write("anchors.csv", ANCHORS)));

    assertEquals(joined, apart);
  }

  @Test
  void windowsFilesAndSpacesAreRead() throws Exception {
    String windows = "\uFEFF" + (ANCHORS + RANGES).replace("\n", "\r\n").replace(",", " , ");

    assertEquals(read(ANCHORS + RANGES), read(windows));
  }

  @Test
  void theTruthMayBeGiven() throws Exception {
    Network network = read(ANCHORS + "sensor,x,y\nR1,0.4,0.3\nR2,0.5,0.4\n" + RANGES);

    assertArrayEquals(new double[] {0.4, 0.3, 0.5, 0.4}, network.truth().orElseThrow());
  }

  @Test
  void threeCoordinatesMakeThreeDimensions() throws Exception {
    String network =
        "anchor,x,y,z\na,0,0,0\nb,1,0,0\nc,0,1,0\nd,0,0,1\n"
            + "from,to,range\nS,a,0.5\nS,b,0.8\nS,c,0.8\nS,d,0.8\n";

    assertEquals(3, read(network).dimension());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "R1,R9,0.3 | :16: unknown sensor R9; it is neither among the anchors nor",
        "R1,R2,-1 | :16: the range from R1 to R2 is -1.0; a distance is a number of at least 0",
        "R1,R2,nan | :16: \"nan\" is no number",
        "R1,R2,NaN | :16: the range from R1 to R2 is NaN",
        "R1,R2,0 | :16: the range 0.0 stands for",
        "R1,R2,65.535 | :16: the range 65.535 stands for",
        "R1,R2,0x1p2 | :16: \"0x1p2\" is no number",
        "R2,R2,0.2 | :16: the range from R2 to R2 is from a station to itself",
        "R1,R2 | :16: a range has 3 columns and more, from, to and range, not 2",
        "R1,R2,\"0.2 | line 16 opens a quote that is never closed",
      })
  void whatIsWrongIsToldWithFileAndLine(String row, String expected) throws Exception {
    Path file = write("bad.csv", ANCHORS + "sensor\nR1\nR2\n" + RANGES + "\n" + row + "\n");
    String message =
        assertThrows(
                dev.lockstep.LockstepException.class,
                () -> NetworkFile.read(file, Optional.empty()))
            .getMessage();

    assertTrue(message.contains(file.toString()) && message.contains(expected), message);
  }

  @ParameterizedTest
  @CsvSource({
    "'from,to,range\nR1,R2,1\n', ': there is no block of anchors (anchor,x,y)'",
    "'station,x,y\n', ':1: \"station,x,y\" is no header'",
    "'anchor,x,y\na,0,0\na,1,1\n', ':3: the name a is taken already'",
    "'anchor,x,y\na,0\n', ':2: a has 1 coordinates, but the header names 2'",
    "'anchor,x,y\na,0,Infinity\n', ':2: anchor a has the coordinate Infinity'",
    "'anchor,x,y\na,0,0\n', ': there is no block of ranges (from,to,range)'",
    "'', ': there is no block of anchors (anchor,x,y)'",
    "'anchor,x,y\nsensor,x,y\ns,1,1\nt\n', ':4: sensor t: give the true positions of all'",
  })
  void headersAndPositionsAreChecked(String text, String expected) throws Exception {
    String message = assertThrows(NetworkException.class, () -> read(text)).getMessage();

    assertTrue(message.contains("ranges.csv" + expected), message);
  }

  @Test
  void theReasonNamesStationsByTheirNames() {
    String lonely = ANCHORS + RANGES + "R7,R8,0.5\n";
    String message = assertThrows(NetworkException.class, () -> read(lonely)).getMessage();

    assertTrue(message.contains("no chain of ranges connects sensors R7, R8 to"), message);
  }

  @Test
  void otherEndingsAndAnchorsBesideJsonAreRefused() throws Exception {
    Path text = write("ranges.txt", RANGES);
    Path anchors = write("anchors.csv", ANCHORS);

    assertTrue(
        assertThrows(NetworkException.class, () -> NetworkFile.read(text, Optional.empty()))
            .getMessage()
            .contains("end in .json or .csv"));
    assertTrue(
        assertThrows(
                NetworkException.class,
                () -> NetworkFile.read(Networks.file("radar-20-8.json"), Optional.of(anchors)))
            .getMessage()
            .contains("belong to CSV"));
  }

  @Test
  void blocksMayStandInAnyOrder() throws Exception {
    assertEquals(read(ANCHORS + RANGES), read(RANGES + ANCHORS));
  }

  @Test
  void otherColumnsAreNotLookedAt() throws Exception {
    String extra =
        RANGES.replace("from,to,range", "rssi,from,to,range").replaceAll("(?m)^(?=R|e|n)", "-61,");

    assertEquals(read(ANCHORS + RANGES), read(ANCHORS + extra));
  }

  @Test
  void rangesBothWaysAreCombinedAndTheirSpreadIsTheirNoise() throws Exception {
    String network = ANCHORS + RANGES + "R2,R1,0.12\nR1,R2,0.14\n";
    Network mean = read(network);

    assertEquals(1, mean.repeatedPairs());
    assertEquals(0.12, mean.sensorRanges().distances()[0], 1e-12);
    // 0.1, 0.12 and 0.14: standard deviation 0.02, of the mean 0.02/√3.
    assertEquals(0.02 / Math.sqrt(3), mean.sensorRanges().deviations()[0], 1e-12);
    Path file = write("twice.csv", network + "R1,R2,0.9\n");
    Network median = NetworkFile.read(file, Optional.empty(), Duplicates.MEDIAN);
    assertEquals(0.13, median.sensorRanges().distances()[0], 1e-12);
    String message =
        assertThrows(
                NetworkException.class,
                () -> NetworkFile.read(file, Optional.empty(), Duplicates.ERROR))
            .getMessage();
    assertTrue(
        message.contains(":12: the range from R2 to R1 is given twice, as 0.1 and as 0.12"),
        message);
  }

  @Test
  void standardDeviationsWeighRepeatedRangesAndAnchorsAddTheirs() throws Exception {
    String network =
        "anchor,x,y,sigma\nnorth,0.5,1,0.03\nwest,0,0,0\neast,1,0,0\n"
            + "from,to,range,sigma\nR1,north,0.6,0.04\nR1,west,0.5,0.01\nR1,west,0.6,0.02\n"
            + "R1,east,0.7,0.01\n";
    Ranges ranges = read(network).anchorRanges();

    assertEquals(0.05, ranges.deviations()[0], 1e-12);
    assertEquals(0.52, ranges.distances()[1], 1e-12); // (0.5/1 + 0.6/4) / (1 + 1/4)
    assertTrue(read(network).everyRangeHasDeviation());
    assertEquals(new Noise(0, 0), MeasurementsConfig.defaults().noiseOf(read(network)));
  }

  @Test
  void whatIsKnownOfAnchorsIsNotTheNoiseOfRanges() throws Exception {
    String network =
        "anchor,x,y,sigma\nnorth,0.5,1,0.03\nwest,0,0,0.03\neast,1,0,0.03\n"
            + "from,to,range\nR1,north,0.6\nR1,west,0.5\nR1,east,0.7\n";

    assertEquals(0.03, read(network).anchorRanges().deviations()[0], 1e-12);
    assertEquals(new Noise(0.05, 0), MeasurementsConfig.defaults().noiseOf(read(network)));
  }

  @Test
  void sensorsInOtherCoordinatesThanAnchorsAreRefused() {
    String network =
        "anchor,lat,lon\na,47.1,8.5\nb,47.2,8.5\nc,47.1,8.6\nsensor,x,y\nR1,10,20\n"
            + "from,to,range\nR1,a,600\nR1,b,500\nR1,c,700\n";

    String message = assertThrows(NetworkException.class, () -> read(network)).getMessage();
    assertTrue(message.contains("sensors have other coordinates than the anchors"), message);
  }

  @Test
  void namesThatBeginWithAHashAreQuoted() throws Exception {
    String quoted = ANCHORS + RANGES.replace("R1", "\"#1\"");

    assertEquals("#1", read(quoted).sensorName(0));
    String bare = ANCHORS + RANGES.replace("R1", "#1");
    String message = assertThrows(NetworkException.class, () -> read(bare)).getMessage();
    assertTrue(message.contains(":6: lines that start with # are comments"), message);
  }

  @Test
  void latitudesAreLocatedInMetres() throws Exception {
    String network =
        "anchor,lat,lon\na,47.5,9\nb,47.51,9\nc,47.5,9.01\n"
            + "from,to,range\nS,a,700\nS,b,700\nS,c,700\n";
    double[] anchors = read(network).anchorPositions();

    // A hundredth of a degree of the meridian at 47.5° is 1,111.8 m.
    assertEquals(1111.8, anchors[3] - anchors[1], 0.2);
    assertTrue(read(network).tangentPlane().isPresent());
  }

  @Test
  void eastingsInAZoneAreOfUtmAndComeBackAsDegrees() throws Exception {
    String network =
        "anchor,zone,easting,northing\na,31N,448251.795,5411932.678\n"
            + "b,31N,449251.795,5411932.678\nc,31N,448251.795,5412932.678\n"
            + "from,to,range\nS,a,700\nS,b,700\nS,c,700\n";
    Network read = read(network);
    double[] anchors = read.anchorPositions();

    // A kilometre of UTM near its central meridian is 1000.4 m.
    assertEquals(1000.37, Math.hypot(anchors[2] - anchors[0], anchors[3] - anchors[1]), 0.05);
    double[] there = read.tangentPlane().orElseThrow().fromPlane(anchors[0], anchors[1]);
    assertEquals(48.8582, there[0], 1e-7);
    assertEquals(2.2945, there[1], 1e-7);
    assertEquals("31N", read.utmZone().orElseThrow());
  }

  @ParameterizedTest
  @CsvSource({
    "'anchor;x;y\na;1,5;2,5\n', 'columns are separated by commas, and numbers have a decimal'",
    "'anchor\tx\ty\n', 'columns are separated by commas, not tabs'",
    "'anchor,x,y\na,0,0\nfrom,to,distance\n', ':3: the header from,to,distance has no column'",
    "'anchor,lat,lon\na,500000,5200000\n', ':2: a is at latitude 500000.0'",
    "'anchor,zone,easting,northing\na,31U,448251,5411932\n', ':2: \"31U\" is no UTM zone'",
  })
  void almostHeadersAreExplained(String text, String expected) {
    String message = assertThrows(NetworkException.class, () -> read(text)).getMessage();

    assertTrue(message.contains(expected), message);
  }
}
