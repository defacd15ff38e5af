package dev.lockstep.monitor;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * {@code prediction.png}: predictions against the truth, a panel for each of the first targets with
 * the line on which a perfect model's points lie.
 */
final class PredictionPlot {
  private static final int PANEL = 520;
  private static final int FOOT = 24;

  /** More points than this only paint over each other. */
  static final int MAXIMUM_POINTS = 3_000;

  /** Nine panels are what a screen shows; the scores of the others are in the summary. */
  private static final int MOST_PANELS = 9;

  private PredictionPlot() {}

  static byte[] draw(List<TargetPredictions> all, ValidationScores scores) {
    List<TargetPredictions> targets = all.subList(0, Math.min(MOST_PANELS, all.size()));
    int columns = (int) Math.ceil(Math.sqrt(targets.size()));
    int rows = (targets.size() + columns - 1) / columns;
    int foot = targets.size() < all.size() ? FOOT : 0;
    BufferedImage image =
        new BufferedImage(columns * PANEL, rows * PANEL + foot, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
    for (int i = 0; i < targets.size(); i++) {
      BufferedImage panel = BitmapEncoder.getBufferedImage(panel(targets.get(i), scores));
      graphics.drawImage(panel, i % columns * PANEL, i / columns * PANEL, null);
    }
    if (foot > 0) {
      graphics.setColor(Color.BLACK);
      graphics.drawString(
          String.format(Locale.ROOT, "the first %d of %,d targets", targets.size(), all.size()),
          FOOT,
          image.getHeight() - FOOT / 3);
    }
    graphics.dispose();
    return Plots.png(image);
  }

  private static XYChart panel(TargetPredictions target, ValidationScores scores) {
    int[] shown = thinned(target);
    double[] actual = Arrays.stream(shown).mapToDouble(i -> target.actual()[i]).toArray();
    double[] predicted = Arrays.stream(shown).mapToDouble(i -> target.predicted()[i]).toArray();
    Double r2 = scores.r2().get(target.target());
    String title =
        target.target() + (r2 == null ? "" : String.format(Locale.ROOT, "   R² = %.4f", r2));
    String unit = target.unit().isEmpty() ? "" : " [" + target.unit() + "]";
    XYChart chart = Plots.chart(PANEL, PANEL, title, "true" + unit, "predicted" + unit);
    XYStyler style = chart.getStyler();
    style.setLegendVisible(false);
    style.setMarkerSize(4);
    if (shown.length == 0) {
      return chart;
    }
    double least =
        DoubleStream.concat(Arrays.stream(actual), Arrays.stream(predicted)).min().orElseThrow();
    double greatest =
        DoubleStream.concat(Arrays.stream(actual), Arrays.stream(predicted)).max().orElseThrow();
    double margin = greatest > least ? 0.03 * (greatest - least) : 1;
    double[] ends = {least - margin, greatest + margin};
    style.setXAxisMin(ends[0]).setXAxisMax(ends[1]).setYAxisMin(ends[0]).setYAxisMax(ends[1]);
    XYSeries points = chart.addSeries("samples", actual, predicted);
    points.setXYSeriesRenderStyle(XYSeriesRenderStyle.Scatter);
    points.setMarker(SeriesMarkers.CIRCLE);
    points.setMarkerColor(new Color(0, 114, 178, 90));
    XYSeries line = chart.addSeries("predicted = true", ends, ends);
    line.setMarker(SeriesMarkers.NONE);
    line.setLineStyle(Plots.THIN);
    line.setLineColor(Plots.VERMILION);
    return chart;
  }

  /** The indices of evenly spaced samples, without those that cannot be drawn. */
  static int[] thinned(TargetPredictions target) {
    int samples = target.actual().length;
    int stride = Math.max(1, (samples + MAXIMUM_POINTS - 1) / MAXIMUM_POINTS);
    return IntStream.iterate(0, i -> i < samples, i -> i + stride)
        .filter(i -> Double.isFinite(target.actual()[i]) && Double.isFinite(target.predicted()[i]))
        .toArray();
  }
}
