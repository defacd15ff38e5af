package dev.lockstep.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class MapPlotTest {
  /** North is at the end of the rows; the western half is missing. */
  private static FieldMaps maps(int rows, int columns, int targets, int all) {
    double[] truth = new double[rows * columns];
    double[] predicted = new double[rows * columns];
    double[] skill = new double[rows * columns];
    for (int i = 0; i < truth.length; i++) {
      truth[i] = i % columns < columns / 2 ? Double.NaN : i / columns;
      predicted[i] = truth[i] + Math.sin(i);
      skill[i] = Double.isNaN(truth[i]) ? Double.NaN : Math.cos(i);
    }
    double[] latitudes = new double[rows];
    Arrays.setAll(latitudes, r -> -90 + 180.0 * r / Math.max(1, rows - 1));
    double[] longitudes = new double[columns];
    Arrays.setAll(longitudes, c -> 360.0 * c / columns);
    List<FieldMaps.Target> shown =
        IntStream.range(0, targets)
            .mapToObj(
                t ->
                    new FieldMaps.Target(
                        "t2m(t+" + t + ")", "K", "1992-01-16", truth, predicted, skill))
            .toList();
    return new FieldMaps(
        new FieldMaps.Axis("lat", "degrees_north", latitudes),
        new FieldMaps.Axis("lon", "degrees_east", longitudes),
        all,
        shown);
  }

  private static BufferedImage image(FieldMaps maps) throws IOException {
    byte[] png = MapPlot.draw(maps);
    String keep = System.getProperty("lockstep.keepPlot", "");
    if (!keep.isEmpty()) {
      Files.write(Path.of(keep), png);
    }
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  private static int pixels(BufferedImage image, int colour) {
    int found = 0;
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        found += (image.getRGB(x, y) & 0xFFFFFF) == colour ? 1 : 0;
      }
    }
    return found;
  }

  @Test
  void theSizeIsBoundedWhateverTheGrid() throws IOException {
    for (int[] grid : new int[][] {{180, 360}, {2, 300}, {300, 2}, {1, 1}}) {
      BufferedImage image = image(maps(grid[0], grid[1], FieldMaps.MOST_TARGETS, 5184));
      assertTrue(image.getWidth() <= 2100 && image.getHeight() <= 1900, image.toString());
    }
  }

  @Test
  void whatIsMissingIsGreyAndTheGreatestLatitudeIsAtTheTop() throws IOException {
    BufferedImage image = image(maps(20, 40, 1, 1));
    int grey = pixels(image, MapPlot.MISSING.getRGB() & 0xFFFFFF);
    // Half of four maps of 360 × 180 pixels, and a little of the legend.
    assertEquals(4 * 180 * 180, grey, 2000);
    int x = 64 + 300;
    int north = image.getRGB(x, 34 + 12);
    int south = image.getRGB(x, 34 + 170);
    // Viridis ends in yellow, and begins in violet.
    assertTrue((north >> 8 & 0xFF) > 150 && (south >> 8 & 0xFF) < 80, north + " " + south);
  }

  @Test
  void mapsOfAnotherSizeThanTheGridAreRefused() {
    FieldMaps.Axis axis = new FieldMaps.Axis("x", "", new double[2]);
    FieldMaps.Target target =
        new FieldMaps.Target("t", "", "", new double[4], new double[4], new double[3]);
    assertThrows(
        IllegalArgumentException.class, () -> new FieldMaps(axis, axis, 1, List.of(target)));
  }

  @Test
  void panelsOfPredictionsAreBoundedToo() throws IOException {
    List<TargetPredictions> many =
        IntStream.range(0, 100)
            .mapToObj(
                t -> new TargetPredictions("t" + t, "", new double[] {1, 2}, new double[] {1, 3}))
            .toList();
    byte[] png = PredictionPlot.draw(many, ValidationScores.none());
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
    assertTrue(image.getWidth() <= 1600 && image.getHeight() <= 1600, image.toString());
  }
}
