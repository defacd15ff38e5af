package dev.lockstep.localize.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.localize.IterationPoint;
import dev.lockstep.localize.Localization;
import dev.lockstep.localize.Networks;
import dev.lockstep.localize.PositionsCsv;
import dev.lockstep.localize.Relaxation;
import dev.lockstep.localize.fit.Certainty;
import dev.lockstep.localize.fit.GoodnessOfFit;
import dev.lockstep.localize.fit.PartFit;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkBuilder;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.TransverseMercator;
import dev.lockstep.localize.network.WorldGeodetic;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalizationFolderTest {
  private static final int BLUE = 0x0072B2;
  private static final int VERMILION = 0xD55E00;

  @TempDir Path folder;

  @Test
  void allFilesAreThereAndNothingElse() throws IOException {
    LocalizationFolder results = new LocalizationFolder(folder.resolve("a/b"));
    results.create();
    results.write(Networks.located(Networks.read("radar-20-8.json"), 0.02), 0.25);

    try (Stream<Path> files = Files.list(folder.resolve("a/b"))) {
      assertEquals(
          List.of("convergence.png", "network.png", "positions.csv", "result.json"),
          files.map(file -> file.getFileName().toString()).sorted().toList());
    }
    JsonNode json = new JsonMapper().readTree(folder.resolve("a/b/result.json").toFile());
    assertEquals(0.25, json.at("/seconds/network").doubleValue());
    assertEquals(1.5, json.at("/seconds/splitting").doubleValue());
    assertTrue(json.at("/seconds/total").doubleValue() >= 1.75);
  }

  @Test
  void resultJsonHasWhatItsReadersLookFor() throws IOException {
    Network network = Networks.read("radar-20-8.json");
    Localization result = Networks.located(network, 0.02);
    result.covariances()[4] = Double.NaN;
    byte[] bytes = ResultJson.write(result, result.seconds());
    JsonNode json = new JsonMapper().readTree(bytes);

    assertEquals(20, json.get("positions").size());
    assertEquals(result.positions()[3], json.at("/positions/1/1").doubleValue());
    assertEquals(4e-4, json.at("/covariances/0/1/1").doubleValue(), 1e-18);
    assertTrue(json.at("/covariances/1").isNull(), "one that is not known");
    assertEquals("ambiguous", json.get("certainty").textValue());
    assertEquals("sensor 0 could as well be elsewhere", json.at("/reasons/0").textValue());
    assertEquals(71.6, json.get("chi_square").doubleValue());
    assertEquals(60, json.get("degrees_of_freedom").intValue());
    assertEquals(0.4, json.at("/worst_residuals/0/measured").doubleValue());
    assertEquals(0, json.at("/ambiguous/0/sensor").intValue());
    assertEquals(result.positions()[0] + 0.1, json.at("/ambiguous/0/alternative/0").doubleValue());
    assertEquals(100, json.get("iterations").intValue());
    assertEquals(6.7, json.get("objective").doubleValue());
    assertEquals(0.01, json.get("consensus_residual").doubleValue());
    assertEquals(result.rmse(), json.get("rmse").doubleValue());
    assertEquals(result.rmseOfSplitting(), json.get("rmse_mps").doubleValue());
    assertEquals(
        "{\"iteration\":100,\"mse\":0.004,\"objective\":6.7}", json.at("/trace/1").toString());
    assertTrue(
        new String(bytes, StandardCharsets.UTF_8).lines().count() > 50, "people can read it");
  }

  @Test
  void namesAndUnknownTruthShowInTheFiles() throws IOException {
    NetworkBuilder builder =
        Network.builder(2).anchor("a", 0, 0).anchor("b", 1, 0).anchor("c", 0, 1);
    for (String anchor : List.of("a", "b", "c")) {
      builder.range("R,1", anchor, 0.6);
    }
    Network network = builder.build();
    Localization result =
        new Localization(
            network,
            new double[] {0.5, 0.25},
            new Relaxation(new double[] {0.5, 0.25}, new double[1], 0),
            new double[] {Double.NaN, Double.NaN, Double.NaN, Double.NaN},
            List.of(),
            Optional.empty(),
            1,
            Localization.Stop.TOLERANCE,
            1,
            0,
            Double.NaN,
            new GoodnessOfFit(0, 1, 0.6, List.of()),
            List.of(new PartFit(List.of(0), 0.25, 1)),
            new Certainty(Certainty.Verdict.UNIQUE, List.of()),
            List.of(new IterationPoint(1, 1, 1, 0, Double.NaN)),
            List.of(),
            new LinkedHashMap<>());

    assertEquals("sensor,x,y,std_x,std_y\n\"R,1\",0.5,0.25,,\n", PositionsCsv.write(result));
    JsonNode json = new JsonMapper().readTree(ResultJson.write(result, result.seconds()));
    assertEquals("R,1", json.at("/sensors/0").textValue());
    assertEquals("tolerance", json.get("stopped_by").textValue());
    assertTrue(json.get("refinement_cost").isNull());
    assertTrue(json.path("rmse").isMissingNode());
    assertEquals(1, json.get("tight_sensors").intValue());
    assertEquals(0.25, json.at("/parts/0/chi_square").doubleValue());
    assertEquals(1122, image(NetworkPicture.draw(result)).getHeight());
    image(ConvergencePlot.draw(result));
  }

  @Test
  void networksInUtmAreWrittenBackInTheirZone() throws IOException {
    double[] places = TransverseMercator.toGeodetic("31N", 448_251.795, 5_411_932.678);
    WorldGeodetic plane = new WorldGeodetic(places[0], places[1]);
    Network network =
        Network.builder(2)
            .tangentPlane(plane)
            .utmZone("31N")
            .anchor("a", places)
            .anchor("b", plane.fromPlane(1000, 0))
            .anchor("c", plane.fromPlane(0, 1000))
            .sensor("S", plane.fromPlane(300, 400))
            .range("S", "a", 500)
            .range("S", "b", 806.2258)
            .range("S", "c", 670.8204)
            .build();

    List<String> lines =
        PositionsCsv.write(Networks.located(network, 0)).lines().collect(Collectors.toList());

    assertEquals("sensor,x,y,std_x,std_y,error,lat,lon,easting,northing,zone", lines.get(0));
    String[] fields = lines.get(1).split(",", -1);
    // North of UTM is 0.53° west of the meridian's there, and 0.99964 of a metre is a metre.
    double turn = Math.toRadians(0.531);
    assertEquals(
        448_251.795 + 0.99963 * (300 * Math.cos(turn) + 400 * Math.sin(turn)),
        Double.parseDouble(fields[8]),
        0.1);
    assertEquals(
        5_411_932.678 + 0.99963 * (400 * Math.cos(turn) - 300 * Math.sin(turn)),
        Double.parseDouble(fields[9]),
        0.1);
    assertEquals("31N", fields[10]);
  }

  @Test
  void positionsAreReadBackToStartFrom() throws IOException {
    Network network = Networks.read("radar-20-8.json");
    Localization result = Networks.located(network, 0.02);
    Path file = folder.resolve("positions.csv");
    Files.writeString(file, PositionsCsv.write(result));

    assertArrayEquals(result.positions(), PositionsCsv.read(file, network));

    List<String> lines = Files.readAllLines(file);
    Files.write(file, lines.subList(0, 20));
    double[] guessed = PositionsCsv.read(file, network);
    assertArrayEquals(Arrays.copyOf(result.positions(), 38), Arrays.copyOf(guessed, 38));
    assertTrue(Math.abs(guessed[38] - result.positions()[38]) < 0.35, "near its neighbours");

    Files.write(file, List.of(lines.get(0), "3,0.1,far"));
    assertEquals(
        file + ":2: \"far\" is no number",
        assertThrows(NetworkException.class, () -> PositionsCsv.read(file, network)).getMessage());
  }

  @Test
  void everySensorOfASmallNetworkIsDrawn() throws IOException {
    Localization result = Networks.located(Networks.read("radar-20-8.json"), 0.02);
    BufferedImage image = image(NetworkPicture.draw(result));

    assertTrue(pixels(image, BLUE) > 20 * 60, "estimates and ellipses");
    assertTrue(pixels(image, VERMILION) > 20 * 20, "truth");
    assertTrue(pixels(image, 0xCC79A7) > 60, "the mirror image");
    Localization wider = Networks.located(Networks.read("radar-20-8.json"), 0.04);
    assertTrue(
        bluish(image(NetworkPicture.draw(wider))) > 1.5 * bluish(image),
        "greater errors, greater ellipses");
  }

  @Test
  void anEllipseHasTheAxesOfItsCovariance() {
    Ellipse ellipse = Ellipse.of(2.5, 1.5, 2.5);

    assertEquals(2 * 2.4477, ellipse.major(), 1e-3);
    assertEquals(2.4477, ellipse.minor(), 1e-3);
    assertEquals(Math.PI / 4, ellipse.angle(), 1e-12);
  }

  @Test
  void aNetworkInSpaceIsSeenFromTwoSides() throws IOException {
    Network network = Networks.generated(60, 12, 0.6, 3, 0.05);

    BufferedImage image = image(NetworkPicture.draw(Networks.located(network, 0.02)));

    assertTrue(image.getWidth() > 1.7 * image.getHeight());
  }

  @Test
  void aLargeNetworkBecomesAMapOfErrors() throws IOException {
    Network network = Networks.generated(5_000, 250, 0.03, 2, 0.05);

    BufferedImage map = image(NetworkPicture.draw(Networks.located(network, 0.002)));

    assertTrue(map.getWidth() > 1.7 * map.getHeight(), "error, and what was to be expected");
    assertEquals(0, pixels(map, BLUE), "no single sensors");
    long colors = Arrays.stream(map.getRGB(90, 96, 880, 880, null, 0, 880)).distinct().count();
    assertTrue(colors > 200, "colours tell errors: " + colors);
  }

  private static BufferedImage image(byte[] png) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  private static long pixels(BufferedImage image, int color) {
    int[] all = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    return Arrays.stream(all).filter(pixel -> (pixel & 0xFFFFFF) == color).count();
  }

  private static long bluish(BufferedImage image) {
    int[] all = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    return Arrays.stream(all).filter(pixel -> (pixel & 0xFF) - (pixel >> 16 & 0xFF) > 15).count();
  }
}
