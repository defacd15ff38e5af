package dev.lockstep.monitor;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.ChartTheme;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Plots of clusters, trees and federations. */
public final class FitPlots {
  private static final int MOST_FEATURES = 25;
  private static final int MOST_CLIENTS = 40;
  private static final java.awt.Color[] COLORS = {
    Plots.BLUE,
    Plots.VERMILION,
    new java.awt.Color(0x009E73),
    new java.awt.Color(0xCC79A7),
    new java.awt.Color(0xE69F00),
    new java.awt.Color(0x56B4E9),
    Plots.GREY
  };

  private FitPlots() {}

  /**
   * Curves by step.
   *
   * @param steps their numbers
   * @param curves by name, each with a value for every step; NaN where there is none
   */
  public static byte[] curves(
      String title, String step, String measure, double[] steps, Map<String, double[]> curves) {
    XYChart chart = Plots.chart(960, 600, title, step, measure);
    chart.getStyler().setLegendPosition(LegendPosition.InsideNE);
    int number = 0;
    for (Map.Entry<String, double[]> curve : curves.entrySet()) {
      List<Double> x = new ArrayList<>();
      List<Double> y = new ArrayList<>();
      for (int i = 0; i < curve.getValue().length; i++) {
        if (Double.isFinite(curve.getValue()[i])) {
          x.add(steps[i]);
          y.add(curve.getValue()[i]);
        }
      }
      if (x.isEmpty()) {
        continue;
      }
      XYSeries series = chart.addSeries(curve.getKey(), x, y);
      series.setLineColor(COLORS[number % COLORS.length]);
      series.setLineStyle(Plots.LINE);
      series.setMarker(SeriesMarkers.NONE);
      number++;
    }
    return number == 0 ? new byte[0] : Plots.png(BitmapEncoder.getBufferedImage(chart));
  }

  /** Points of two features in the colour of their cluster, and the centres. */
  public static byte[] clusters(
      String xName, String yName, double[] x, double[] y, int[] labels, double[][] centers) {
    XYChart chart = Plots.chart(900, 800, "Clusters", xName, yName);
    chart.getStyler().setDefaultSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
    chart.getStyler().setMarkerSize(5);
    chart.getStyler().setLegendVisible(false);
    for (int cluster = 0; cluster < centers.length; cluster++) {
      List<Double> xs = new ArrayList<>();
      List<Double> ys = new ArrayList<>();
      for (int i = 0; i < labels.length; i++) {
        if (labels[i] == cluster) {
          xs.add(x[i]);
          ys.add(y[i]);
        }
      }
      if (!xs.isEmpty()) {
        XYSeries series = chart.addSeries("cluster " + cluster, xs, ys);
        series.setMarker(SeriesMarkers.CIRCLE);
        series.setMarkerColor(COLORS[cluster % COLORS.length]);
      }
    }
    XYSeries middle =
        chart.addSeries(
            "centres",
            java.util.Arrays.stream(centers).mapToDouble(one -> one[0]).toArray(),
            java.util.Arrays.stream(centers).mapToDouble(one -> one[1]).toArray());
    middle.setMarker(SeriesMarkers.CROSS);
    middle.setMarkerColor(java.awt.Color.BLACK);
    return Plots.png(BitmapEncoder.getBufferedImage(chart));
  }

  /** The most important features as bars, the most important first. */
  public static byte[] importance(String measure, Map<String, Double> importance) {
    List<Map.Entry<String, Double>> most =
        importance.entrySet().stream()
            .filter(entry -> Double.isFinite(entry.getValue()))
            .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
            .limit(MOST_FEATURES)
            .toList();
    if (most.isEmpty()) {
      return new byte[0];
    }
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(960)
            .height(600)
            .title("Importance (" + measure + ")")
            .theme(ChartTheme.Matlab)
            .build();
    chart.getStyler().setLegendVisible(false);
    chart.getStyler().setXAxisLabelRotation(60);
    chart.getStyler().setChartBackgroundColor(java.awt.Color.WHITE);
    chart
        .addSeries(
            "importance",
            most.stream().map(Map.Entry::getKey).toList(),
            most.stream().map(Map.Entry::getValue).toList())
        .setFillColor(Plots.BLUE);
    return Plots.png(BitmapEncoder.getBufferedImage(chart));
  }

  /**
   * Stacked bars: how many samples of each class each client has.
   *
   * @param counts [client][class]; of many clients the first ones are shown
   */
  public static byte[] classesOfClients(int[][] counts) {
    int clients = Math.min(counts.length, MOST_CLIENTS);
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(960)
            .height(600)
            .title("Samples of each class")
            .xAxisTitle("client")
            .yAxisTitle("samples")
            .theme(ChartTheme.Matlab)
            .build();
    chart.getStyler().setStacked(true);
    chart.getStyler().setChartBackgroundColor(java.awt.Color.WHITE);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    for (int number = 0; number < counts[0].length; number++) {
      List<Integer> names = new ArrayList<>();
      List<Integer> samples = new ArrayList<>();
      for (int client = 0; client < clients; client++) {
        names.add(client);
        samples.add(counts[client][number]);
      }
      chart.addSeries("class " + number, names, samples);
    }
    return Plots.png(BitmapEncoder.getBufferedImage(chart));
  }
}
