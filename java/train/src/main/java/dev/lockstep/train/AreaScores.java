package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.field.Baselines;
import dev.lockstep.monitor.TestScores;
import dev.lockstep.monitor.metric.FieldSums;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The errors of a network and of the baselines over a part of the grid. Ranks add samples of their
 * own and merge them at the end.
 */
final class AreaScores {
  private final double[] weights;
  private final List<String> targets;
  private final FieldSums network;
  private final Map<String, Pair> baselines = new LinkedHashMap<>();

  /** By channel: Σ w p′a′, Σ w p′p′, Σ w a′a′ of the anomalies. */
  private final double[] anomalies;

  /**
   * A skill compares on the same cells.
   *
   * @param network its errors where the baseline is known, too
   */
  private record Pair(FieldSums baseline, FieldSums network) {}

  AreaScores(double[] weights, List<String> targets, List<String> baselines) {
    this.weights = weights;
    this.targets = targets;
    network = new FieldSums(targets.size(), weights);
    anomalies = new double[3 * targets.size()];
    baselines.forEach(
        name ->
            this.baselines.put(
                name,
                new Pair(
                    new FieldSums(targets.size(), weights),
                    new FieldSums(targets.size(), weights))));
  }

  /**
   * Adds a sample; all arrays hold channels × cells.
   *
   * @param truth NaN where it is missing, and outside of the part
   * @param others what each baseline predicts
   */
  void add(double[] predicted, double[] truth, Map<String, double[]> others) {
    network.add(predicted, truth, 0);
    others.forEach(
        (name, baseline) -> {
          Pair pair = baselines.get(name);
          if (pair == null) {
            throw new IllegalStateException(name);
          }
          double[] known = knownIn(truth, baseline);
          pair.baseline.add(baseline, known, 0);
          pair.network.add(predicted, known, 0);
          if (name.equals(Baselines.CLIMATOLOGY)) {
            addAnomalies(predicted, truth, baseline);
          }
        });
  }

  /** The truth, missing where the baseline is. */
  private static double[] knownIn(double[] truth, double[] baseline) {
    double[] known = truth.clone();
    for (int i = 0; i < known.length; i++) {
      known[i] = Double.isNaN(baseline[i]) ? Double.NaN : known[i];
    }
    return known;
  }

  private void addAnomalies(double[] predicted, double[] truth, double[] climatology) {
    for (int i = 0; i < truth.length; i++) {
      double p = predicted[i] - climatology[i];
      double a = truth[i] - climatology[i];
      if (!Double.isNaN(p * a)) {
        int at = 3 * (i / weights.length);
        double weight = weights[i % weights.length];
        anomalies[at] += weight * p * a;
        anomalies[at + 1] += weight * p * p;
        anomalies[at + 2] += weight * a * a;
      }
    }
  }

  /**
   * The scores over all ranks; collective.
   *
   * @param together whether all targets have one unit
   */
  TestScores.Area merged(Communicator communicator, boolean together) {
    FieldSums all = merged(communicator, network);
    Map<String, Pair> others = new LinkedHashMap<>();
    baselines.forEach(
        (name, own) ->
            others.put(
                name,
                new Pair(merged(communicator, own.baseline), merged(communicator, own.network))));
    double[] products = communicator.allReduce(anomalies, ReduceOp.SUM);
    Map<String, TestScores.Scores> byTarget = new LinkedHashMap<>();
    for (int c = 0; c < targets.size(); c++) {
      Map<String, Double> rmse = new LinkedHashMap<>();
      Map<String, Double> skills = new LinkedHashMap<>();
      for (Map.Entry<String, Pair> other : others.entrySet()) {
        double error = other.getValue().baseline.rmse(c);
        rmse.put(other.getKey(), error);
        skills.put(other.getKey(), skill(other.getValue().network.rmse(c), error));
      }
      byTarget.put(
          targets.get(c),
          new TestScores.Scores(
              all.rmse(c), all.mae(c), all.bias(c), acc(products, c, c + 1), rmse, skills));
    }
    return new TestScores.Area(together ? together(all, others, products) : null, byTarget);
  }

  private FieldSums merged(Communicator communicator, FieldSums own) {
    return FieldSums.merged(targets.size(), weights, communicator.allGather(own.state()));
  }

  private TestScores.Scores together(FieldSums all, Map<String, Pair> others, double[] products) {
    Map<String, Double> rmse = new LinkedHashMap<>();
    Map<String, Double> skills = new LinkedHashMap<>();
    others.forEach(
        (name, pair) -> {
          rmse.put(name, pair.baseline.rmse());
          skills.put(name, skill(pair.network.rmse(), pair.baseline.rmse()));
        });
    double acc = acc(products, 0, targets.size());
    return new TestScores.Scores(all.rmse(), all.mae(), all.bias(), acc, rmse, skills);
  }

  private static double skill(double rmse, double baseline) {
    return 1 - rmse * rmse / (baseline * baseline);
  }

  private static double acc(double[] products, int from, int to) {
    double[] sum = new double[3];
    for (int i = 3 * from; i < 3 * to; i++) {
      sum[i % 3] += products[i];
    }
    return sum[0] / Math.sqrt(sum[1] * sum[2]);
  }
}
