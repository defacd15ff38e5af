package dev.lockstep.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class PlotsTest {
  @Test
  void drawsBothLosses() throws IOException {
    BufferedImage both = image(LossPlot.draw(falling(30, 3, 0.02)));

    assertTrue(pixels(both, 0x0072B2) > 500, "training is blue");
    assertTrue(pixels(both, 0xD55E00) > 500, "validation is vermilion");
  }

  @Test
  void drawsTrainingAloneWhenNothingIsHeldOut() throws IOException {
    BufferedImage alone =
        image(
            LossPlot.draw(
                List.of(new LossPoint(1, 2, Double.NaN), new LossPoint(2, 1, Double.NaN))));

    assertTrue(pixels(alone, 0x0072B2) > 500);
    assertEquals(0, pixels(alone, 0xD55E00));
  }

  @Test
  void drawsWhateverALossMayBe() throws IOException {
    for (List<LossPoint> losses :
        List.of(
            List.of(new LossPoint(1, 0.5, 0.6)),
            List.of(new LossPoint(1, 0, 0)),
            List.of(new LossPoint(1, 1, 1), new LossPoint(2, 0, 0)),
            List.of(new LossPoint(1, -3, -2), new LossPoint(2, -4, -1)),
            List.of(new LossPoint(1, 1, 1), new LossPoint(2, Double.NaN, Double.POSITIVE_INFINITY)),
            List.of(new LossPoint(1, Double.NaN, Double.NaN)),
            falling(500, 1e9, 1e-9))) {
      assertEquals(960, image(LossPlot.draw(losses)).getWidth(), losses.toString());
    }
  }

  @Test
  void drawsAPanelATarget() throws IOException {
    List<TargetPredictions> targets =
        List.of(noisy("FSR", "W/m²", 1), noisy("FUL", "", 2), noisy("FLH", "W/m²", 3));
    Map<String, Double> r2 = new LinkedHashMap<>(Map.of("FSR", 0.9912));

    BufferedImage image =
        image(
            PredictionPlot.draw(
                targets, new ValidationScores(r2, Map.of(), OptionalDouble.empty())));

    assertEquals(1040, image.getWidth());
    assertEquals(1040, image.getHeight());
    for (BufferedImage panel :
        List.of(
            image.getSubimage(0, 0, 520, 520),
            image.getSubimage(520, 0, 520, 520),
            image.getSubimage(0, 520, 520, 520))) {
      assertTrue(pixels(panel, 0xD55E00) > 100, "the 1:1 line");
    }
    assertEquals(0, pixels(image.getSubimage(520, 520, 520, 520), 0xD55E00));
  }

  @Test
  void drawsTargetsThatAreConstantEmptyOrNotNumbers() throws IOException {
    for (TargetPredictions odd :
        List.of(
            new TargetPredictions("constant", "", new double[] {1, 1}, new double[] {1, 1}),
            new TargetPredictions("empty", "", new double[0], new double[0]),
            new TargetPredictions("NaN", "", new double[] {Double.NaN}, new double[] {1}))) {
      assertEquals(
          520, image(PredictionPlot.draw(List.of(odd), ValidationScores.none())).getWidth());
    }
  }

  @Test
  void drawsTheLineOfAConstantTargetToo() throws IOException {
    TargetPredictions constant =
        new TargetPredictions("constant", "", new double[] {1, 1}, new double[] {1, 1});

    BufferedImage image = image(PredictionPlot.draw(List.of(constant), ValidationScores.none()));

    assertTrue(pixels(image, 0xD55E00) > 100, "the 1:1 line");
  }

  @Test
  void thinsToAFewThousandPoints() {
    double[] values = new double[100_001];
    int[] shown = PredictionPlot.thinned(new TargetPredictions("a", "", values, values));

    assertTrue(
        shown.length <= PredictionPlot.MAXIMUM_POINTS && shown.length > 2_900, "" + shown.length);
    assertTrue(shown[shown.length - 1] > 99_900, "the samples are taken from all of them");
    assertEquals(
        10,
        PredictionPlot.thinned(new TargetPredictions("a", "", new double[10], new double[10]))
            .length);
  }

  static List<LossPoint> falling(int epochs, double first, double last) {
    List<LossPoint> losses = new ArrayList<>();
    for (int epoch = 1; epoch <= epochs; epoch++) {
      double loss = last + (first - last) * Math.pow(epoch, -1.7);
      losses.add(new LossPoint(epoch, loss, loss * 1.15));
    }
    return losses;
  }

  static TargetPredictions noisy(String target, String unit, long seed) {
    Random random = new Random(seed);
    double[] actual = random.doubles(4_000, -50, 250).toArray();
    double[] predicted = actual.clone();
    for (int i = 0; i < predicted.length; i++) {
      predicted[i] += 12 * random.nextGaussian();
    }
    return new TargetPredictions(target, unit, predicted, actual);
  }

  private static BufferedImage image(byte[] png) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  /** Counts pixels of about a colour: smoothing blends a slanted line with what lies below it. */
  private static int pixels(BufferedImage image, int color) {
    int count = 0;
    for (int x = 0; x < image.getWidth(); x++) {
      for (int y = 0; y < image.getHeight(); y++) {
        count += near(image.getRGB(x, y), color) ? 1 : 0;
      }
    }
    return count;
  }

  private static boolean near(int one, int other) {
    for (int shift = 0; shift <= 16; shift += 8) {
      if (Math.abs((one >> shift & 0xff) - (other >> shift & 0xff)) > 60) {
        return false;
      }
    }
    return true;
  }
}
