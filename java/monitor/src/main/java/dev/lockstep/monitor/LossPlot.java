package dev.lockstep.monitor;

import java.awt.Color;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** {@code loss.png}: training and validation loss by epoch. */
final class LossPlot {
  /** Past this ratio a linear axis presses the later epochs flat. */
  private static final double LOGARITHMIC_FROM = 5;

  private static final int MARKERS_UP_TO = 60;

  private LossPlot() {}

  static byte[] draw(List<LossPoint> losses) {
    XYChart chart = Plots.chart(960, 600, "Loss by epoch", "epoch", "mean loss");
    XYStyler style = chart.getStyler();
    style.setLegendPosition(LegendPosition.InsideNE);
    scale(style, losses);
    add(chart, "training", Plots.BLUE, losses, LossPoint::train);
    add(chart, "validation", Plots.VERMILION, losses, LossPoint::validation);
    return Plots.png(BitmapEncoder.getBufferedImage(chart));
  }

  private static void scale(XYStyler style, List<LossPoint> losses) {
    double[] values =
        losses.stream()
            .flatMapToDouble(loss -> DoubleStream.of(loss.train(), loss.validation()))
            .filter(Double::isFinite)
            .sorted()
            .toArray();
    if (values.length == 0) {
      return;
    }
    double least = values[0];
    double greatest = values[values.length - 1];
    if (least > 0 && greatest / least >= LOGARITHMIC_FROM) {
      style.setYAxisLogarithmic(true);
      style.setYAxisMin(Math.pow(10, Math.floor(Math.log10(least))));
      style.setYAxisMax(Math.pow(10, Math.ceil(Math.log10(greatest))));
    } else if (least >= 0) {
      style.setYAxisMin(0.0);
    }
  }

  private static void add(
      XYChart chart,
      String name,
      Color color,
      List<LossPoint> losses,
      ToDoubleFunction<LossPoint> value) {
    List<LossPoint> known =
        losses.stream().filter(loss -> Double.isFinite(value.applyAsDouble(loss))).toList();
    if (known.isEmpty()) {
      return;
    }
    XYSeries series =
        chart.addSeries(
            name,
            known.stream().mapToDouble(LossPoint::epoch).toArray(),
            known.stream().mapToDouble(value).toArray());
    series.setLineColor(color);
    series.setLineStyle(Plots.LINE);
    series.setMarkerColor(color);
    series.setMarker(losses.size() <= MARKERS_UP_TO ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
  }
}
