package dev.lockstep.localize.report;

import dev.lockstep.localize.Localization;
import dev.lockstep.localize.fit.Ambiguity;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.Ranges;
import dev.lockstep.monitor.Plots;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Rectangle;
import java.awt.Shape;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.util.Arrays;
import java.util.stream.Stream;

/** Every sensor of a network, seen along one axis. */
final class SensorDrawing {
  private static final Color LINK = new Color(120, 120, 120, 45);
  private static final Color FILL = new Color(0, 114, 178, 45);
  private static final Color AMBIGUOUS = new Color(0xCC79A7);
  private static final BasicStroke DASHED =
      new BasicStroke(1.6f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {6, 4}, 0);

  /** More names than this hide the network. */
  private static final int NAMED = 60;

  private static final String[] AXES = {"x", "y", "z"};

  private final Graphics2D graphics;
  private final Localization result;
  private final Network network;
  private final double[] truth;
  private final double[] anchors;
  private final int first;
  private final int second;
  private final int d;
  private final PlotArea area;
  private final double radius;

  /** Of the axes {@code first}, to the right, and {@code second}, upwards. */
  SensorDrawing(Graphics2D graphics, Localization result, Rectangle frame, int first, int second) {
    this.graphics = graphics;
    this.result = result;
    this.first = first;
    this.second = second;
    network = result.network();
    d = network.dimension();
    truth = network.truth().orElse(new double[0]);
    anchors = network.anchorPositions();
    area = new PlotArea(frame, everything(), d, first, second);
    radius = radius(network);
  }

  private static double radius(Network network) {
    return Math.max(1.8, Math.min(5.5, 5.5 * Math.sqrt(60.0 / network.sensors())));
  }

  /** All points that the area should hold. */
  private double[] everything() {
    return Stream.concat(
            Stream.of(result.positions(), truth, anchors),
            result.ambiguous().stream().map(Ambiguity::alternative))
        .flatMapToDouble(Arrays::stream)
        .toArray();
  }

  void draw() {
    area.drawAxes(graphics, AXES[first], AXES[second]);
    Shape outside = graphics.getClip();
    graphics.setClip(area.frame());
    drawLinks();
    for (int sensor = 0; sensor < network.sensors(); sensor++) {
      drawEllipse(sensor);
    }
    for (int sensor = 0; sensor < network.sensors() && truth.length > 0; sensor++) {
      drawTruth(sensor);
    }
    result.ambiguous().forEach(this::drawAmbiguity);
    graphics.setColor(Plots.BLUE);
    for (int sensor = 0; sensor < network.sensors(); sensor++) {
      graphics.fill(disc(x(result.positions(), sensor), y(result.positions(), sensor), radius));
    }
    graphics.setColor(Color.BLACK);
    for (int anchor = 0; anchor < network.anchors(); anchor++) {
      graphics.fill(triangle(x(anchors, anchor), y(anchors, anchor), 1.7 * radius));
    }
    if (network.sensors() + network.anchors() <= NAMED) {
      drawNames();
    }
    graphics.setClip(outside);
  }

  private double x(double[] points, int point) {
    return area.x(points[point * d + first]);
  }

  private double y(double[] points, int point) {
    return area.y(points[point * d + second]);
  }

  private void drawLinks() {
    graphics.setColor(LINK);
    graphics.setStroke(new BasicStroke(1));
    drawLinks(network.sensorRanges(), result.positions());
    drawLinks(network.anchorRanges(), anchors);
  }

  private void drawLinks(Ranges ranges, double[] others) {
    double[] from = result.positions();
    for (int range = 0; range < ranges.count(); range++) {
      int to = ranges.second(range);
      graphics.draw(
          new Line2D.Double(
              x(from, ranges.first(range)),
              y(from, ranges.first(range)),
              x(others, to),
              y(others, to)));
    }
  }

  private void drawEllipse(int sensor) {
    if (Double.isNaN(result.standardDeviation(sensor))) {
      return;
    }
    double[] covariances = result.covariances();
    int at = sensor * d * d;
    Shape ellipse =
        Ellipse.of(
                covariances[at + first * d + first],
                covariances[at + first * d + second],
                covariances[at + second * d + second])
            .around(
                area,
                result.positions()[sensor * d + first],
                result.positions()[sensor * d + second]);
    graphics.setColor(FILL);
    graphics.fill(ellipse);
    graphics.setColor(Plots.BLUE);
    graphics.setStroke(new BasicStroke(network.sensors() <= 200 ? 1.2f : 0.7f));
    graphics.draw(ellipse);
  }

  private void drawTruth(int sensor) {
    graphics.setColor(Plots.VERMILION);
    graphics.setStroke(new BasicStroke(network.sensors() <= 200 ? 1.8f : 1));
    double[] estimate = result.positions();
    graphics.draw(
        new Line2D.Double(
            x(truth, sensor), y(truth, sensor), x(estimate, sensor), y(estimate, sensor)));
    graphics.draw(disc(x(truth, sensor), y(truth, sensor), 1.1 * radius));
  }

  private void drawAmbiguity(Ambiguity ambiguity) {
    double x = x(result.positions(), ambiguity.sensor());
    double y = y(result.positions(), ambiguity.sensor());
    double otherX = x(ambiguity.alternative(), 0);
    double otherY = y(ambiguity.alternative(), 0);
    graphics.setColor(AMBIGUOUS);
    graphics.setStroke(DASHED);
    graphics.draw(new Line2D.Double(x, y, otherX, otherY));
    graphics.setStroke(new BasicStroke(2.4f));
    graphics.draw(disc(x, y, 2.2 * radius));
    graphics.draw(diamond(otherX, otherY, 1.6 * radius));
  }

  private void drawNames() {
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    graphics.setColor(Color.DARK_GRAY);
    for (int sensor = 0; sensor < network.sensors(); sensor++) {
      drawName(network.sensorName(sensor), result.positions(), sensor);
    }
    graphics.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 13));
    for (int anchor = 0; anchor < network.anchors(); anchor++) {
      drawName((network.named() ? "" : "A") + network.anchorName(anchor), anchors, anchor);
    }
  }

  private void drawName(String name, double[] points, int point) {
    graphics.drawString(
        name, (float) (x(points, point) + 1.6 * radius), (float) (y(points, point) - 1.4 * radius));
  }

  private static Shape disc(double x, double y, double radius) {
    return new Ellipse2D.Double(x - radius, y - radius, 2 * radius, 2 * radius);
  }

  private static Shape triangle(double x, double y, double radius) {
    return polygon(x, y, radius, 3);
  }

  private static Shape diamond(double x, double y, double radius) {
    return polygon(x, y, radius, 4);
  }

  /** Regular, with one corner at the top. */
  private static Shape polygon(double x, double y, double radius, int corners) {
    Path2D path = new Path2D.Double();
    for (int i = 0; i < corners; i++) {
      double angle = 2 * Math.PI * i / corners;
      double cornerX = x + radius * Math.sin(angle);
      double cornerY = y - radius * Math.cos(angle);
      if (i == 0) {
        path.moveTo(cornerX, cornerY);
      } else {
        path.lineTo(cornerX, cornerY);
      }
    }
    path.closePath();
    return path;
  }

  /** What the marks mean, in one line. */
  static void drawLegend(Graphics2D graphics, Localization result, int left, int y) {
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 15));
    Legend legend = new Legend(graphics, left, y);
    graphics.setColor(Color.BLACK);
    graphics.fill(triangle(legend.x(), legend.y(), 9));
    legend.text("anchor");
    graphics.setColor(Plots.BLUE);
    graphics.fill(disc(legend.x(), legend.y(), 5.5));
    legend.text("estimate");
    graphics.setColor(FILL);
    graphics.fill(new Ellipse2D.Double(legend.x() - 11, legend.y() - 7, 22, 14));
    graphics.setColor(Plots.BLUE);
    graphics.setStroke(new BasicStroke(1.2f));
    graphics.draw(new Ellipse2D.Double(legend.x() - 11, legend.y() - 7, 22, 14));
    legend.text("95 % of its errors");
    if (result.network().truth().isPresent()) {
      graphics.setColor(Plots.VERMILION);
      graphics.setStroke(new BasicStroke(1.8f));
      graphics.draw(disc(legend.x(), legend.y(), 6));
      legend.text("truth");
    }
    if (!result.ambiguous().isEmpty()) {
      graphics.setColor(AMBIGUOUS);
      graphics.setStroke(new BasicStroke(2.4f));
      graphics.draw(diamond(legend.x(), legend.y(), 9));
      legend.text("mirror image that fits");
    }
    graphics.setColor(Plots.GREY);
    graphics.setStroke(new BasicStroke(1));
    graphics.draw(new Line2D.Double(legend.x() - 11, legend.y(), legend.x() + 11, legend.y()));
    legend.text("measured distance");
  }

  /** Where the next mark goes. */
  private static final class Legend {
    private final Graphics2D graphics;
    private final int y;
    private int x;

    Legend(Graphics2D graphics, int left, int y) {
      this.graphics = graphics;
      this.y = y;
      x = left + 12;
    }

    double x() {
      return x;
    }

    double y() {
      return y;
    }

    void text(String text) {
      graphics.setColor(Color.BLACK);
      graphics.drawString(text, x + 18, y + 5);
      x += 18 + graphics.getFontMetrics().stringWidth(text) + 24;
    }
  }
}
