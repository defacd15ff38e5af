package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.field.Baselines;
import dev.lockstep.data.field.FieldDataset;
import dev.lockstep.monitor.TestScores;
import dev.lockstep.monitor.metric.FieldSums;
import dev.lockstep.train.engine.BatchReader;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * Scores the samples kept for the end, the network's beside the baselines'. Each rank takes its
 * partition and all merge what they found in rank order, so that all know the same.
 */
final class TestSet {
  private final TrainingAssembly run;
  private final FieldDataset dataset;
  private final Communicator communicator;
  private final Baselines baselines;
  private final double[] weights;
  private final int channels;

  /** Sums of the network's errors, then those of each baseline. */
  private final Map<String, FieldSums> sums = new LinkedHashMap<>();

  /** By channel: Σ w p′a′, Σ w p′p′, Σ w a′a′ of the anomalies. */
  private final double[] anomalies;

  private static final String NETWORK = "";

  TestSet(TrainingAssembly run, FieldDataset dataset) {
    this.run = run;
    this.dataset = dataset;
    communicator = run.mesh.data();
    baselines = new Baselines(dataset);
    weights = dataset.cellWeights().length > 0 ? dataset.cellWeights() : ones(dataset.cells());
    channels = dataset.targetNames().size();
    anomalies = new double[3 * channels];
    sums.put(NETWORK, new FieldSums(channels, weights));
    baselines.names().forEach(name -> sums.put(name, new FieldSums(channels, weights)));
  }

  private static double[] ones(int count) {
    double[] ones = new double[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  /** Scores the network as it is; collective. */
  TestScores score(long[] samples) {
    DataPartitioner.Range share =
        new DataPartitioner(samples.length, communicator.size()).partition(communicator.rank());
    try (BatchReader reader =
        new BatchReader(dataset, run.normalizers(), false, run.model.type(), 1)) {
      for (int i = (int) share.from(); i < share.to(); i++) {
        add(samples[i], predict(reader, samples, i));
      }
    }
    return merged(samples.length);
  }

  private double[] predict(BatchReader reader, long[] samples, int index) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      reader.load(samples, index, 1);
      Tensor all = run.role.compute().predict(reader.samples().inputs());
      Tensor output = run.loss.point(all, dataset.targetShape()[0]);
      Tensor dense = output.to(ScalarType.Double).contiguous();
      double[] values = new double[(int) dense.numel()];
      new DoublePointer(dense.data_ptr()).get(values);
      if (!run.loss.classifies()) {
        run.normalizers().targets().invert(values, 1, dataset.cells());
      }
      dataset.restoreTargets(samples[index], values, 0);
      return values;
    }
  }

  private void add(long sample, double[] predicted) {
    double[] truth = new double[predicted.length];
    double[] baseline = new double[predicted.length];
    baselines.truth(sample, truth);
    sums(NETWORK).add(predicted, truth, 0);
    for (String name : baselines.names()) {
      baselines.predict(name, sample, baseline);
      // All are compared on the same cells.
      FieldSums own = sums(name);
      own.add(baseline, knownIn(truth, baseline), 0);
      if (name.equals(Baselines.CLIMATOLOGY)) {
        addAnomalies(predicted, truth, baseline);
      }
    }
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

  private FieldSums sums(String name) {
    FieldSums found = sums.get(name);
    if (found == null) {
      throw new IllegalStateException(name);
    }
    return found;
  }

  private TestScores merged(long samples) {
    Map<String, FieldSums> all = new LinkedHashMap<>();
    sums.forEach(
        (name, own) ->
            all.put(
                name, FieldSums.merged(channels, weights, communicator.allGather(own.state()))));
    double[] products = communicator.allReduce(anomalies, ReduceOp.SUM);
    FieldSums network = all.remove(NETWORK);
    if (network == null) {
      throw new IllegalStateException("the network's sums are always there");
    }
    Map<String, TestScores.Scores> targets = new LinkedHashMap<>();
    for (int c = 0; c < channels; c++) {
      int channel = c;
      Map<String, Double> others = new LinkedHashMap<>();
      all.forEach((name, sum) -> others.put(name, sum.rmse(channel)));
      targets.put(
          dataset.targetNames().get(c),
          new TestScores.Scores(
              network.rmse(c), network.mae(c), network.bias(c), acc(products, c, c + 1), others));
    }
    return new TestScores(samples, together(network, all, products), targets);
  }

  private TestScores.@Nullable Scores together(
      FieldSums network, Map<String, FieldSums> others, double[] products) {
    List<String> variables = dataset.targetVariables();
    Set<String> units = new HashSet<>();
    variables.forEach(variable -> units.add(dataset.units().getOrDefault(variable, "")));
    if (units.size() > 1) {
      return null;
    }
    Map<String, Double> rmse = new LinkedHashMap<>();
    others.forEach((name, sum) -> rmse.put(name, sum.rmse()));
    return new TestScores.Scores(
        network.rmse(), network.mae(), network.bias(), acc(products, 0, channels), rmse);
  }

  private static double acc(double[] products, int from, int to) {
    double[] sum = new double[3];
    for (int i = 3 * from; i < 3 * to; i++) {
      sum[i % 3] += products[i];
    }
    return sum[0] / Math.sqrt(sum[1] * sum[2]);
  }
}
