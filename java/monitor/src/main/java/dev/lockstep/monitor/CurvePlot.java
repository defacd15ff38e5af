package dev.lockstep.monitor;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.stream.IntStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Lines over two logarithmic axes. Not thread-safe. */
public final class CurvePlot {
  private static final int WIDTH = 960;
  private static final int HEIGHT = 700;

  /** The palette of Okabe and Ito (2008), which colour-blind readers can tell apart. */
  private static final Color[] COLORS = {
    Plots.BLUE,
    Plots.VERMILION,
    new Color(0x009E73),
    new Color(0xCC79A7),
    new Color(0xE69F00),
    new Color(0x56B4E9),
    Color.BLACK
  };

  private final XYChart chart;

  /** An empty plot; axis titles name the units. */
  public CurvePlot(String title, String xTitle, String yTitle) {
    chart = Plots.chart(WIDTH, HEIGHT, title, xTitle, yTitle);
    XYStyler style = chart.getStyler();
    style.setXAxisLogarithmic(true);
    style.setYAxisLogarithmic(true);
    style.setLegendPosition(LegendPosition.OutsideS);
    style.setLegendLayout(org.knowm.xchart.style.Styler.LegendLayout.Horizontal);
  }

  /** Points that have no logarithm are left out; a curve without points is, too. */
  public void add(String name, double[] x, double[] y) {
    int[] drawn = IntStream.range(0, x.length).filter(i -> x[i] > 0 && y[i] > 0).toArray();
    if (drawn.length == 0) {
      return;
    }
    Color color = COLORS[chart.getSeriesMap().size() % COLORS.length];
    XYSeries series =
        chart.addSeries(
            name,
            IntStream.of(drawn).mapToDouble(i -> x[i]).toArray(),
            IntStream.of(drawn).mapToDouble(i -> y[i]).toArray());
    series.setLineColor(color);
    series.setLineStyle(Plots.LINE);
    series.setMarkerColor(color);
    series.setMarker(SeriesMarkers.CIRCLE);
  }

  /** Both as one PNG. */
  public static byte[] sideBySide(CurvePlot left, CurvePlot right) {
    BufferedImage image = new BufferedImage(2 * WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.drawImage(BitmapEncoder.getBufferedImage(left.chart), 0, 0, null);
    graphics.drawImage(BitmapEncoder.getBufferedImage(right.chart), WIDTH, 0, null);
    graphics.dispose();
    return Plots.png(image);
  }
}
