package dev.lockstep.localize.report;

import dev.lockstep.monitor.Plots;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.Rectangle;
import java.util.Locale;

/**
 * A square of a picture that shows a part of the plane, one unit as long upwards as sideways, with
 * a frame and labelled ticks.
 */
final class PlotArea {
  private static final int TICKS = 5;
  private static final double MARGIN = 0.04;

  private final Rectangle frame;
  private final double left;
  private final double bottom;
  private final double extent;

  /**
   * Fits points into a frame.
   *
   * @param points f64[any × dimension] of which coordinates {@code first} and {@code second} are
   *     shown; those that are not finite do not count
   */
  PlotArea(Rectangle frame, double[] points, int dimension, int first, int second) {
    double[] x = bounds(points, dimension, first);
    double[] y = bounds(points, dimension, second);
    double greater = Math.max(x[1] - x[0], y[1] - y[0]);
    this.frame = frame;
    extent = (greater > 0 ? greater : 1) * (1 + 2 * MARGIN);
    left = (x[0] + x[1] - extent) / 2;
    bottom = (y[0] + y[1] - extent) / 2;
  }

  private static double[] bounds(double[] points, int dimension, int axis) {
    double least = Double.POSITIVE_INFINITY;
    double greatest = Double.NEGATIVE_INFINITY;
    for (int at = axis; at < points.length; at += dimension) {
      if (Double.isFinite(points[at])) {
        least = Math.min(least, points[at]);
        greatest = Math.max(greatest, points[at]);
      }
    }
    return least <= greatest ? new double[] {least, greatest} : new double[] {0, 1};
  }

  double x(double value) {
    return frame.x + (value - left) / extent * frame.width;
  }

  double y(double value) {
    return frame.y + frame.height - (value - bottom) / extent * frame.height;
  }

  /** Pixels of a length. */
  double pixels(double length) {
    return length / extent * frame.width;
  }

  Rectangle frame() {
    return frame;
  }

  /** The coordinate at the frame's left edge. */
  double left() {
    return left;
  }

  /** The coordinate at the frame's lower edge. */
  double bottom() {
    return bottom;
  }

  /** The length that the frame's sides show. */
  double extent() {
    return extent;
  }

  /** Grid lines and their numbers, below what is plotted. */
  void drawAxes(Graphics2D graphics, String xTitle, String yTitle) {
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
    FontMetrics metrics = graphics.getFontMetrics();
    double step = niceStep(extent / TICKS);
    int digits = (int) Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    graphics.setStroke(new BasicStroke(1));
    for (double at = Math.ceil(left / step) * step; at < left + extent; at += step) {
      int x = (int) Math.round(x(at));
      graphics.setColor(new Color(0xECECEC));
      graphics.drawLine(x, frame.y, x, frame.y + frame.height);
      graphics.setColor(Color.DARK_GRAY);
      String label = number(at, digits);
      graphics.drawString(label, x - metrics.stringWidth(label) / 2, frame.y + frame.height + 20);
    }
    for (double at = Math.ceil(bottom / step) * step; at < bottom + extent; at += step) {
      int y = (int) Math.round(y(at));
      graphics.setColor(new Color(0xECECEC));
      graphics.drawLine(frame.x, y, frame.x + frame.width, y);
      graphics.setColor(Color.DARK_GRAY);
      String label = number(at, digits);
      graphics.drawString(label, frame.x - 8 - metrics.stringWidth(label), y + 5);
    }
    graphics.drawString(
        xTitle,
        frame.x + (frame.width - metrics.stringWidth(xTitle)) / 2,
        frame.y + frame.height + 42);
    graphics.drawString(yTitle, frame.x - 52, frame.y + frame.height / 2 - 24);
    graphics.setColor(Plots.GREY);
    graphics.drawRect(frame.x, frame.y, frame.width, frame.height);
  }

  private static String number(double value, int digits) {
    String text = String.format(Locale.ROOT, "%." + digits + "f", value);
    return text.matches("-0(\\.0*)?") ? text.substring(1) : text;
  }

  /** 1, 2 or 5 times a power of ten, at least {@code step}. */
  private static double niceStep(double step) {
    double power = Math.pow(10, Math.floor(Math.log10(step)));
    for (int factor : new int[] {1, 2, 5}) {
      if (factor * power >= step * (1 - 1e-9)) {
        return factor * power;
      }
    }
    return 10 * power;
  }
}
