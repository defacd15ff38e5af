package dev.lockstep.localize.report;

import dev.lockstep.localize.Localization;
import dev.lockstep.localize.network.Network;
import dev.lockstep.monitor.Plots;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Rectangle;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.Locale;

/**
 * {@code network.png}: where the sensors are; every sensor with its error ellipse and the distances
 * it has, or an {@link ErrorMap} for networks in which nobody could tell them apart. A network in
 * 3-D is seen from above and from the front.
 */
final class NetworkPicture {
  /** More sensors than this cover each other. */
  static final int MOST_SENSORS = 3_000;

  private static final int SIDE = 880;
  private static final int LEFT = 90;
  private static final int TOP = 112;
  private static final int BELOW = 130;
  private static final int GAP = 130;

  private NetworkPicture() {}

  static byte[] draw(Localization result) {
    boolean map = result.network().sensors() > MOST_SENSORS;
    boolean two = map ? ErrorMap.panels(result) == 2 : result.network().dimension() == 3;
    int width = LEFT + SIDE + 50 + (two ? SIDE + GAP : 0) + (map ? 40 : 0);
    BufferedImage image = new BufferedImage(width, TOP + SIDE + BELOW, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = Plots.canvas(image);
    graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    drawTitle(graphics, result);
    Rectangle first = new Rectangle(LEFT, TOP, SIDE, SIDE);
    Rectangle second = new Rectangle(LEFT + SIDE + GAP, TOP, SIDE, SIDE);
    if (map) {
      ErrorMap.draw(graphics, result, first, second);
    } else {
      new SensorDrawing(graphics, result, first, 0, 1).draw();
      if (two) {
        new SensorDrawing(graphics, result, second, 0, 2).draw();
      }
      SensorDrawing.drawLegend(graphics, result, LEFT, TOP + SIDE + 80);
    }
    graphics.dispose();
    return Plots.png(image);
  }

  private static void drawTitle(Graphics2D graphics, Localization result) {
    Network network = result.network();
    graphics.setColor(Color.BLACK);
    graphics.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 20));
    graphics.drawString(network.toString(), LEFT, 34);
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 16));
    String error =
        network.truth().isPresent()
            ? String.format(
                Locale.ROOT,
                "RMSE %.4g after %,d iterations, %.4g at the end",
                result.rmseOfSplitting(),
                result.iterations(),
                result.rmse())
            : String.format(Locale.ROOT, "%,d iterations", result.iterations());
    int ambiguous = result.ambiguous().size();
    graphics.drawString(
        error
            + String.format(
                Locale.ROOT, "   ·   %,d with a mirror image that fits as well", ambiguous),
        LEFT,
        60);
    graphics.drawString(
        String.format(
            Locale.ROOT,
            "%s: chi-square %.4g with %,d degrees of freedom",
            result.certainty().verdict(),
            result.fit().chiSquare(),
            result.fit().degreesOfFreedom()),
        LEFT,
        84);
  }
}
