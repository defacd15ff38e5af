package dev.lockstep.cli;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.FitConfig;
import dev.lockstep.learn.KMeansModel;
import dev.lockstep.learn.LearnedModel;
import dev.lockstep.learn.Table;
import dev.lockstep.learn.TreeModel;
import dev.lockstep.monitor.FitPlots;
import dev.lockstep.monitor.FitRecording;
import java.io.PrintStream;
import java.nio.DoubleBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What a fit shows of its model. */
final class FitReport {
  private static final int MOST_POINTS = 5000;

  private final FitConfig config;
  private final LearnedModel model;
  private final Table table;
  private final List<FitRecording.Step> steps;

  FitReport(FitConfig config, LearnedModel model, Table table, List<FitRecording.Step> steps) {
    this.config = config;
    this.model = model;
    this.table = table;
    this.steps = steps;
  }

  Map<String, Object> facts(Communicator group, long begin) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("name", config.name());
    facts.put("model_sha256", model.sha256());
    facts.put("world_size", group.size());
    facts.put("backend", group.backend().toString());
    facts.put("steps", steps.size());
    facts.put("total_seconds", seconds(begin));
    return facts;
  }

  private static double seconds(long begin) {
    return (System.nanoTime() - begin) / 1e9;
  }

  void print(PrintStream out, Path file, long begin) {
    StringBuilder scores = new StringBuilder();
    model
        .scores()
        .forEach(
            (name, value) -> scores.append(String.format(Locale.ROOT, "%n  %s %.6g", name, value)));
    out.printf(
        Locale.ROOT,
        "Fitted in %.2f s:%s%nModel in %s, SHA-256 %s%n",
        seconds(begin),
        scores,
        file,
        model.sha256());
  }

  /** PNG files by name. */
  Map<String, byte[]> plots() {
    Map<String, byte[]> plots = new TreeMap<>();
    if (model instanceof KMeansModel clusters) {
      add(plots, "cost.png", curves("Cost by iteration", "iteration", "cost", List.of("cost")));
      if (model.features().size() == 2) {
        add(plots, "clusters.png", clusters(clusters));
      }
    }
    if (model instanceof TreeModel trees) {
      List<String> losses = List.of("train_loss", "validation_loss");
      add(plots, "loss.png", curves("Loss by round", "round", "mean loss", losses));
      List<String> ofForest =
          List.of("oob_accuracy", "validation_accuracy", "oob_r2", "validation_r2");
      add(plots, "score.png", curves("Score by tree", "tree", "score", ofForest));
      add(plots, "importance.png", FitPlots.importance("share of the gain", trees.importance()));
      add(
          plots,
          "permutation-importance.png",
          FitPlots.importance("fall of the score", trees.permutationImportance()));
    }
    return plots;
  }

  private static void add(Map<String, byte[]> plots, String name, byte[] png) {
    if (png.length > 0) {
      plots.put(name, png);
    }
  }

  private byte[] curves(String title, String step, String measure, List<String> names) {
    Map<String, double[]> curves = new LinkedHashMap<>();
    for (String name : names) {
      curves.put(
          name,
          steps.stream().mapToDouble(one -> one.values().getOrDefault(name, Double.NaN)).toArray());
    }
    double[] numbers = steps.stream().mapToDouble(FitRecording.Step::number).toArray();
    return FitPlots.curves(title, step, measure, numbers, curves);
  }

  /** This rank's rows, or an even selection of so many that a plot still shows them. */
  private byte[] clusters(KMeansModel clusters) {
    DoubleBuffer values = table.values();
    int stride = (int) (table.rows() / MOST_POINTS + 1);
    int count = (int) ((table.rows() + stride - 1) / stride);
    double[] x = new double[count];
    double[] y = new double[count];
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      x[i] = values.get(2 * i * stride);
      y[i] = values.get(2 * i * stride + 1);
      labels[i] = clusters.predict(new double[] {x[i], y[i]});
    }
    return FitPlots.clusters(
        model.features().get(0), model.features().get(1), x, y, labels, clusters.centers());
  }
}
