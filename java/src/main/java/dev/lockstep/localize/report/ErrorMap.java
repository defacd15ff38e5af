package dev.lockstep.localize.report;

import dev.lockstep.localize.Localization;
import dev.lockstep.localize.network.Network;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Rectangle;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Rectangle2D;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * How far off the sensors of a large network are, by place: the root mean square over the sensors
 * of each cell, of the error where the truth is known, and of the standard deviation that the
 * covariances tell. Both panels have one logarithmic scale, so that they can be compared.
 */
final class ErrorMap {
  private static final double SENSORS_A_CELL = 12;
  private static final int MOST_CELLS_A_SIDE = 176;

  /** More anchors than this hide the map. */
  private static final int MOST_ANCHORS = 500;

  private static final double ANCHOR = 4;

  /** A palette of even steps in lightness: corners of viridis (van der Walt and Smith, 2015). */
  private static final int[] PALETTE = {
    0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21918C, 0x28AE80, 0x5EC962, 0xADDC30, 0xFDE725
  };

  private final Localization result;
  private final Network network;
  private final double[] truth;
  private final double low;
  private final double high;

  private ErrorMap(Localization result) {
    this.result = result;
    network = result.network();
    truth = network.truth().orElse(new double[0]);
    IntStream sensors = IntStream.range(0, network.sensors());
    double[] all =
        sensors
            .mapToObj(i -> DoubleStream.of(result.standardDeviation(i), error(i)))
            .flatMapToDouble(values -> values)
            .filter(value -> Double.isFinite(value) && value > 0)
            .sorted()
            .toArray();
    low = all.length == 0 ? 1e-3 : all[all.length / 20];
    high = Math.max(10 * low, all.length == 0 ? 1 : all[all.length - 1 - all.length / 50]);
  }

  static int panels(Localization result) {
    return result.network().truth().isPresent() ? 2 : 1;
  }

  static void draw(Graphics2D graphics, Localization result, Rectangle first, Rectangle second) {
    ErrorMap map = new ErrorMap(result);
    IntToDoubleFunction expected = result::standardDeviation;
    if (map.truth.length > 0) {
      map.panel(graphics, first, "error", map::error);
      map.panel(graphics, second, "standard deviation that the ranges allow", expected);
    } else {
      map.panel(graphics, first, "standard deviation of the positions", expected);
    }
    int right = (map.truth.length > 0 ? second : first).x + first.width;
    map.drawScale(graphics, right + 12, first.y, first.height);
    map.drawSummary(graphics, first.x, first.y + first.height + 76);
  }

  /** NaN where the truth is not known. */
  private double error(int sensor) {
    if (truth.length == 0) {
      return Double.NaN;
    }
    int d = network.dimension();
    double square = 0;
    for (int axis = 0; axis < d; axis++) {
      square += Math.pow(result.positions()[sensor * d + axis] - truth[sensor * d + axis], 2);
    }
    return Math.sqrt(square);
  }

  private void panel(Graphics2D graphics, Rectangle frame, String what, IntToDoubleFunction value) {
    double[] points = truth.length > 0 ? truth : result.positions();
    double[] anchors = network.anchorPositions();
    int d = network.dimension();
    PlotArea area = new PlotArea(frame, truth.length > 0 ? truth : anchors, d, 0, 1);
    int side = (int) Math.min(MOST_CELLS_A_SIDE, Math.sqrt(network.sensors() / SENSORS_A_CELL));
    double[] squares = new double[side * side];
    int[] counts = new int[side * side];
    for (int sensor = 0; sensor < network.sensors(); sensor++) {
      int cell = cell(area, points[sensor * d], points[sensor * d + 1], side);
      double known = value.applyAsDouble(sensor);
      if (cell >= 0 && Double.isFinite(known)) {
        squares[cell] += known * known;
        counts[cell]++;
      }
    }
    area.drawAxes(graphics, "x", "y");
    double size = (double) frame.width / side;
    for (int cell = 0; cell < squares.length; cell++) {
      if (counts[cell] > 0) {
        graphics.setColor(color(Math.sqrt(squares[cell] / counts[cell])));
        double top = frame.y + frame.height - (cell / side + 1) * size;
        graphics.fill(
            new Rectangle2D.Double(frame.x + cell % side * size, top, size + 0.6, size + 0.6));
      }
    }
    if (network.anchors() <= MOST_ANCHORS) {
      drawAnchors(graphics, area, anchors);
    }
    graphics.setColor(Color.BLACK);
    graphics.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 15));
    graphics.drawString(what, frame.x + 2, frame.y - 8);
  }

  private void drawAnchors(Graphics2D graphics, PlotArea area, double[] anchors) {
    graphics.setStroke(new BasicStroke(1));
    for (int anchor = 0; anchor < network.anchors(); anchor++) {
      Ellipse2D mark =
          new Ellipse2D.Double(
              area.x(anchors[anchor * network.dimension()]) - ANCHOR,
              area.y(anchors[anchor * network.dimension() + 1]) - ANCHOR,
              2 * ANCHOR,
              2 * ANCHOR);
      graphics.setColor(Color.WHITE);
      graphics.fill(mark);
      graphics.setColor(Color.BLACK);
      graphics.draw(mark);
    }
  }

  private static int cell(PlotArea area, double x, double y, int side) {
    int column = (int) Math.floor((x - area.left()) / area.extent() * side);
    int row = (int) Math.floor((y - area.bottom()) / area.extent() * side);
    return column < 0 || column >= side || row < 0 || row >= side ? -1 : row * side + column;
  }

  private Color color(double value) {
    double place = Math.log(Math.max(value, 1e-300) / low) / Math.log(high / low);
    double scaled = Math.max(0, Math.min(1, place)) * (PALETTE.length - 1);
    int below = (int) Math.min(PALETTE.length - 2, Math.floor(scaled));
    Color from = new Color(PALETTE[below]);
    Color to = new Color(PALETTE[below + 1]);
    double part = scaled - below;
    return new Color(
        mixed(from.getRed(), to.getRed(), part),
        mixed(from.getGreen(), to.getGreen(), part),
        mixed(from.getBlue(), to.getBlue(), part));
  }

  private static int mixed(int from, int to, double part) {
    return (int) Math.round(from + part * (to - from));
  }

  private void drawScale(Graphics2D graphics, int x, int y, int height) {
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    for (int row = 0; row <= height; row++) {
      graphics.setColor(color(low * Math.pow(high / low, (double) row / height)));
      graphics.fillRect(x, y + height - row, 16, 1);
    }
    graphics.setColor(Color.DARK_GRAY);
    for (double power = Math.pow(10, Math.floor(Math.log10(low))); power <= high; power *= 10) {
      for (int factor : new int[] {1, 2, 5}) {
        double value = factor * power;
        if (value >= low && value <= high) {
          int row = (int) Math.round(Math.log(value / low) / Math.log(high / low) * height);
          graphics.drawString(
              String.format(Locale.ROOT, "%.1g", value), x + 20, y + height - row + 5);
        }
      }
    }
  }

  private void drawSummary(Graphics2D graphics, int x, int y) {
    graphics.setColor(Color.BLACK);
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 15));
    String cells =
        "Root mean square of each cell's sensors"
            + (network.anchors() <= MOST_ANCHORS ? "; white dots are anchors." : ".");
    if (truth.length > 0) {
      double[] errors =
          IntStream.range(0, network.sensors()).mapToDouble(this::error).sorted().toArray();
      cells +=
          String.format(
              Locale.ROOT,
              "   Errors: median %.2g, 90 %% below %.2g, 99 %% below %.2g, greatest %.2g.",
              quantile(errors, 0.5),
              quantile(errors, 0.9),
              quantile(errors, 0.99),
              errors[errors.length - 1]);
    }
    long unknown =
        IntStream.range(0, network.sensors())
            .filter(sensor -> Double.isNaN(result.standardDeviation(sensor)))
            .count();
    graphics.drawString(cells, x, y);
    if (unknown > 0) {
      graphics.drawString(
          String.format(Locale.ROOT, "%,d sensors are not determined by their ranges.", unknown),
          x,
          y + 24);
    }
  }

  private static double quantile(double[] sorted, double part) {
    return sorted[(int) Math.min(sorted.length - 1, part * sorted.length)];
  }
}
