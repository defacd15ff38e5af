package dev.lockstep.monitor;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;

/**
 * {@code maps.png}: truth, prediction, error and skill by cell, a row of panels for each target.
 * What is missing is grey. The axes carry coordinates; the greater one of rows is at the top.
 */
final class MapPlot {
  /** The longer side of a map, in pixels. */
  private static final int SIDE = 360;

  private static final int LEFT = 64;
  private static final int RIGHT = 76;
  private static final int TOP = 34;
  private static final int BOTTOM = 50;
  private static final int FOOT = 30;
  private static final int TICKS = 5;
  private static final int BAR = 12;

  static final Color MISSING = new Color(0xB8B8B8);

  /** Viridis at equal steps (matplotlib, CC0). */
  private static final int[] SEQUENTIAL = {0x440154, 0x3B528B, 0x21918C, 0x5EC962, 0xFDE725};

  /** Blue over white to red (ColorBrewer's RdBu, reversed). */
  private static final int[] DIVERGING = {0x2166AC, 0x92C5DE, 0xF7F7F7, 0xF4A582, 0xB2182B};

  private final FieldMaps maps;
  private final int width;
  private final int height;

  private MapPlot(FieldMaps maps) {
    this.maps = maps;
    double rows = maps.rows().places().length;
    double columns = maps.columns().places().length;
    double longer = Math.max(rows, columns);
    width = (int) Math.max(SIDE / 4, Math.round(SIDE * columns / longer));
    height = (int) Math.max(SIDE / 4, Math.round(SIDE * rows / longer));
  }

  static byte[] draw(FieldMaps maps) {
    return Plots.png(new MapPlot(maps).image());
  }

  private record Scale(double from, double to, int[] colours) {
    Color of(double value) {
      if (Double.isNaN(value)) {
        return MISSING;
      }
      double share = to > from ? (value - from) / (to - from) : 0.5;
      double place = Math.min(1, Math.max(0, share)) * (colours.length - 1);
      int below = (int) Math.min(colours.length - 2, Math.floor(place));
      Color a = new Color(colours[below]);
      Color b = new Color(colours[below + 1]);
      double part = place - below;
      return new Color(
          mixed(a.getRed(), b.getRed(), part),
          mixed(a.getGreen(), b.getGreen(), part),
          mixed(a.getBlue(), b.getBlue(), part));
    }

    private static int mixed(int a, int b, double part) {
      return (int) Math.round(a + (b - a) * part);
    }
  }

  private BufferedImage image() {
    List<FieldMaps.Target> targets = maps.targets();
    int panelHeight = TOP + height + BOTTOM;
    BufferedImage image =
        new BufferedImage(
            4 * (LEFT + width + RIGHT),
            targets.size() * panelHeight + FOOT,
            BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = Plots.canvas(image);
    for (int t = 0; t < targets.size(); t++) {
      row(graphics, targets.get(t), t * panelHeight);
    }
    int foot = targets.size() * panelHeight + FOOT / 2;
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    graphics.setColor(MISSING);
    graphics.fillRect(LEFT, foot - 10, BAR, BAR);
    graphics.setColor(Color.BLACK);
    String more =
        maps.allTargets() > targets.size()
            ? String.format(
                Locale.ROOT, "; the first %d of %,d targets", targets.size(), maps.allTargets())
            : "";
    graphics.drawString("missing" + more, LEFT + BAR + 6, foot);
    graphics.dispose();
    return image;
  }

  private void row(Graphics2D graphics, FieldMaps.Target target, int y) {
    double[] error = new double[target.truth().length];
    Arrays.setAll(error, i -> target.predicted()[i] - target.truth()[i]);
    double[] both =
        DoubleStream.concat(Arrays.stream(target.truth()), Arrays.stream(target.predicted()))
            .filter(Double::isFinite)
            .toArray();
    double least = Arrays.stream(both).min().orElse(0);
    double greatest = Arrays.stream(both).max().orElse(0);
    double most = Arrays.stream(error).filter(Double::isFinite).map(Math::abs).max().orElse(0);
    String unit = target.unit().isEmpty() ? "" : " [" + target.unit() + "]";
    String time = target.time().isEmpty() ? "" : ", " + target.time();
    Scale values = new Scale(least, greatest, SEQUENTIAL);
    panel(graphics, 0, y, target.name() + unit + time, target.truth(), values);
    panel(graphics, 1, y, "prediction", target.predicted(), values);
    panel(graphics, 2, y, "prediction − truth", error, new Scale(-most, most, DIVERGING));
    panel(
        graphics,
        3,
        y,
        "skill against climatology, all test samples",
        target.skill(),
        new Scale(-1, 1, reversed(DIVERGING)));
  }

  /** Good is blue. */
  private static int[] reversed(int[] colours) {
    int[] reversed = new int[colours.length];
    Arrays.setAll(reversed, i -> colours[colours.length - 1 - i]);
    return reversed;
  }

  private void panel(
      Graphics2D graphics, int column, int top, String title, double[] values, Scale scale) {
    int x = column * (LEFT + width + RIGHT) + LEFT;
    int y = top + TOP;
    boolean upwards = increases(maps.rows());
    int rows = maps.rows().places().length;
    int columns = maps.columns().places().length;
    for (int r = 0; r < rows; r++) {
      int from = upwards ? rows - 1 - r : r;
      int y0 = y + r * height / rows;
      for (int c = 0; c < columns; c++) {
        int x0 = x + c * width / columns;
        graphics.setColor(scale.of(values[from * columns + c]));
        graphics.fillRect(
            x0, y0, x + (c + 1) * width / columns - x0, y + (r + 1) * height / rows - y0);
      }
    }
    graphics.setColor(Plots.GREY);
    graphics.drawRect(x, y, width, height);
    graphics.setColor(Color.BLACK);
    graphics.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 13));
    graphics.drawString(title, x, y - 10);
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    axes(graphics, x, y, upwards);
    bar(graphics, x + width + 8, y, scale);
  }

  /**
   * Without coordinates the places are indices, which increase, and the first row is at the top.
   */
  private static boolean increases(FieldMaps.Axis axis) {
    double[] places = axis.places();
    return !axis.unit().isEmpty() && places[places.length - 1] > places[0];
  }

  private void axes(Graphics2D graphics, int x, int y, boolean upwards) {
    double[] rows = maps.rows().places();
    double[] columns = maps.columns().places();
    for (int i = 0; i < TICKS; i++) {
      int c = Math.round((columns.length - 1) * (i / (TICKS - 1f)));
      int atX = x + (int) ((c + 0.5) * width / columns.length);
      graphics.drawLine(atX, y + height, atX, y + height + 4);
      String text = number(columns[c]);
      graphics.drawString(
          text, atX - graphics.getFontMetrics().stringWidth(text) / 2, y + height + 16);
      int r = Math.round((rows.length - 1) * (i / (TICKS - 1f)));
      int shown = upwards ? rows.length - 1 - r : r;
      int atY = y + (int) ((shown + 0.5) * height / rows.length);
      graphics.drawLine(x - 4, atY, x, atY);
      String label = number(rows[r]);
      graphics.drawString(label, x - 6 - graphics.getFontMetrics().stringWidth(label), atY + 4);
    }
    String way = maps.rows().unit().isEmpty() ? ", down " : ", up ";
    graphics.drawString(
        "across " + title(maps.columns()) + way + title(maps.rows()), x, y + height + 34);
  }

  private static String title(FieldMaps.Axis axis) {
    return axis.unit().isEmpty() ? axis.name() : axis.name() + " [" + axis.unit() + "]";
  }

  private void bar(Graphics2D graphics, int x, int y, Scale scale) {
    DoubleUnaryOperator value =
        place -> scale.to() - (scale.to() - scale.from()) * place / Math.max(1, height - 1);
    for (int i = 0; i < height; i++) {
      graphics.setColor(scale.of(value.applyAsDouble(i)));
      graphics.drawLine(x, y + i, x + BAR, y + i);
    }
    graphics.setColor(Color.BLACK);
    double[] labels = {scale.to(), (scale.from() + scale.to()) / 2, scale.from()};
    for (int i = 0; i < labels.length; i++) {
      int at = i * (height - 1) / 2;
      graphics.drawString(number(labels[i]), x + BAR + 4, y + at + (i == 0 ? 9 : 4));
    }
  }

  private static String number(double value) {
    String text = String.format(Locale.ROOT, "%.4g", value);
    return text.contains(".") && !text.contains("e") ? text.replaceAll("\\.?0+$", "") : text;
  }
}
