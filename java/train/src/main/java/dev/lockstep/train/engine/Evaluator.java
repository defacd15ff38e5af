package dev.lockstep.train.engine;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.monitor.TargetPredictions;
import dev.lockstep.monitor.ValidationScores;
import dev.lockstep.monitor.metric.AccuracySums;
import dev.lockstep.monitor.metric.FieldSums;
import dev.lockstep.monitor.metric.RegressionSums;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Scores a model on the held-out samples: each rank takes its partition, and what they find is
 * merged in rank order, so that all ranks know the same result to the bit. Not thread-safe.
 */
public final class Evaluator {
  private final Compute compute;
  private final Loss loss;
  private final BatchReader reader;
  private final int batchSize;
  private final Normalizer targetNormalizer;
  private final List<String> targetNames;
  private final int cells;
  private final double[] cellWeights;

  /** Elements of one number for each target along a prediction's second dimension. */
  private final long targetRows;

  private final long[] samples;
  private final DataPartitioner.Range share;

  /** Samples of the rank that has most. */
  private final long largestShare;

  private final Communicator communicator;

  /**
   * What the held-out samples say.
   *
   * @param loss their mean loss; NaN when there are none
   */
  public record Evaluation(double loss, ValidationScores scores) {
    /** Of no samples. */
    public static Evaluation none() {
      return new Evaluation(Double.NaN, ValidationScores.none());
    }
  }

  /**
   * Names what to score.
   *
   * @param dataset where the samples are
   * @param samples the held-out samples, the same on all ranks
   * @param batchSize samples at once, at most the reader's capacity
   */
  public Evaluator(
      Compute compute,
      Loss loss,
      BatchReader reader,
      int batchSize,
      Normalizer targetNormalizer,
      Dataset dataset,
      long[] samples,
      Communicator communicator) {
    this.compute = compute;
    this.loss = loss;
    this.reader = reader;
    this.batchSize = batchSize;
    this.targetNormalizer = targetNormalizer;
    targetNames = dataset.targetNames();
    cells = dataset.cells();
    cellWeights = dataset.cellWeights();
    targetRows = dataset.targetShape()[0];
    this.samples = samples;
    this.communicator = communicator;
    DataPartitioner parts = new DataPartitioner(samples.length, communicator.size());
    share = parts.partition(communicator.rank());
    largestShare = parts.size(0);
  }

  /** Hears about a rank's samples, batch by batch. */
  private interface BatchScore {
    void add(Tensor prediction, SampleReader.Samples batch, int count);
  }

  /** Scores the model; collective. */
  public Evaluation evaluate() {
    if (samples.length == 0) {
      return Evaluation.none();
    }
    double[] lossSum = new double[1];
    if (loss.classifies() && (cells > 1 || cellWeights.length > 0)) {
      return evaluateMaps(lossSum);
    }
    if (loss.classifies()) {
      long[] correct = new long[1];
      forEachBatch(
          (prediction, batch, count) -> {
            lossSum[0] += loss.mean(prediction, batch).item_double() * count;
            Tensor hits = prediction.argmax(new LongOptional(1), false).eq(batch.targets());
            correct[0] += hits.sum().item_long();
          });
      long all = communicator.allReduce(correct, ReduceOp.SUM)[0];
      OptionalDouble accuracy = OptionalDouble.of(new AccuracySums(all, samples.length).accuracy());
      return new Evaluation(meanLoss(lossSum), new ValidationScores(Map.of(), Map.of(), accuracy));
    }
    if (cells > 1 || cellWeights.length > 0) {
      return evaluateFields(lossSum);
    }
    RegressionSums own = new RegressionSums(targetNames.size());
    forEachBatch(
        (prediction, batch, count) -> {
          lossSum[0] += loss.mean(prediction, batch).item_double() * count;
          own.add(physical(prediction, count), actual(count));
        });
    return new Evaluation(meanLoss(lossSum), regressionScores(own));
  }

  /** Classes by cell: the share of the weight of those that are met; missing ones have none. */
  private Evaluation evaluateMaps(double[] lossSum) {
    double[] sums = new double[2];
    forEachBatch(
        (prediction, batch, count) -> {
          lossSum[0] += loss.mean(prediction, batch).item_double() * count;
          Tensor scores = Loss.classScores(prediction, batch.targets());
          Tensor hits = scores.argmax(new LongOptional(1), false).eq(batch.targets());
          Tensor weights = batch.weights();
          Tensor each = hits.to(ScalarType.Double);
          Tensor weight = weights == null ? torch.ones_like(each) : weights.to(ScalarType.Double);
          sums[0] += each.mul(weight).sum().item_double();
          sums[1] += weight.sum().item_double();
        });
    double[] all = communicator.allReduce(sums, ReduceOp.SUM);
    OptionalDouble accuracy = OptionalDouble.of(all[0] / all[1]);
    return new Evaluation(meanLoss(lossSum), new ValidationScores(Map.of(), Map.of(), accuracy));
  }

  private Evaluation evaluateFields(double[] lossSum) {
    double[] weights = cellWeights.length > 0 ? cellWeights : ones();
    int channels = targetNames.size();
    FieldSums own = new FieldSums(channels, weights);
    forEachBatch(
        (prediction, batch, count) -> {
          lossSum[0] += loss.mean(prediction, batch).item_double() * count;
          double[] predicted = physical(prediction, count);
          for (int i = 0; i < count; i++) {
            own.add(predicted, reader.targetRows(), i * channels * cells);
          }
        });
    FieldSums all = FieldSums.merged(channels, weights, communicator.allGather(own.state()));
    Map<String, Double> r2 = new LinkedHashMap<>();
    Map<String, Double> rmse = new LinkedHashMap<>();
    for (int channel = 0; channel < channels; channel++) {
      r2.put(targetNames.get(channel), all.r2(channel));
      rmse.put(targetNames.get(channel), all.rmse(channel));
    }
    return new Evaluation(
        meanLoss(lossSum), new ValidationScores(r2, rmse, OptionalDouble.empty()));
  }

  private double[] ones() {
    double[] ones = new double[cells];
    Arrays.fill(ones, 1);
    return ones;
  }

  private double meanLoss(double[] lossSum) {
    return communicator.allReduce(lossSum, ReduceOp.SUM)[0] / samples.length;
  }

  private ValidationScores regressionScores(RegressionSums own) {
    int targets = targetNames.size();
    RegressionSums all = RegressionSums.merged(targets, communicator.allGather(own.state()));
    Map<String, Double> r2 = new LinkedHashMap<>();
    Map<String, Double> rmse = new LinkedHashMap<>();
    for (int target = 0; target < targets; target++) {
      r2.put(targetNames.get(target), all.r2(target));
      rmse.put(targetNames.get(target), all.rmse(target));
    }
    return new ValidationScores(r2, rmse, OptionalDouble.empty());
  }

  /**
   * Predictions beside the truth in the targets' own units, for plots; collective. Empty for a
   * classifier.
   *
   * @param limit at most about this many samples, spread evenly
   */
  public List<TargetPredictions> predictions(int limit) {
    if (loss.classifies() || samples.length == 0) {
      return List.of();
    }
    int targets = targetNames.size();
    // Cells of fields are counted on through the samples; the stride has no factor in common with
    // a grid's usual lengths, so that all parts of it are met.
    long stride = Math.max(1, ((long) samples.length * cells + limit - 1) / limit);
    stride += cells > 1 && stride > 1 ? 1 - stride % 2 : 0;
    List<double[]> pairs = new ArrayList<>();
    long[] at = {share.from() * cells};
    long every = stride;
    forEachBatch(
        (prediction, batch, count) -> {
          double[] predicted = physical(prediction, count);
          for (int i = 0; i < count * cells; i++, at[0]++) {
            if (at[0] % every == 0) {
              pairs.add(pair(predicted, i / cells * targets * cells + i % cells));
            }
          }
        });
    double[] all = communicator.allGather(pairs.stream().flatMapToDouble(Arrays::stream).toArray());
    List<TargetPredictions> result = new ArrayList<>();
    for (int target = 0; target < targets; target++) {
      double[] predicted = column(all, target, 2 * targets);
      double[] actual = column(all, targets + target, 2 * targets);
      result.add(new TargetPredictions(targetNames.get(target), "", predicted, actual));
    }
    return result;
  }

  /** All channels of one cell, predicted and then actual. */
  private double[] pair(double[] predicted, int first) {
    int targets = targetNames.size();
    double[] pair = new double[2 * targets];
    for (int t = 0; t < targets; t++) {
      pair[t] = predicted[first + t * cells];
      pair[targets + t] = reader.targetRows()[first + t * cells];
    }
    return pair;
  }

  private static double[] column(double[] rows, int column, int columns) {
    double[] values = new double[rows.length / columns];
    Arrays.setAll(values, row -> rows[row * columns + column]);
    return values;
  }

  private void forEachBatch(BatchScore score) {
    for (int from = (int) share.from(); from < share.to(); from += batchSize) {
      int count = (int) Math.min(batchSize, share.to() - from);
      try (PointerScope scope = new PointerScope();
          NoGradGuard guard = new NoGradGuard()) {
        reader.load(samples, from, count);
        SampleReader.Samples batch = reader.samples();
        score.add(compute.predict(batch.inputs()), batch, count);
      }
    }
    if (compute.predictsTogether()) {
      for (long made = batches(share.to() - share.from()); made < batches(largestShare); made++) {
        compute.joinPrediction();
      }
    }
  }

  private long batches(long count) {
    return (count + batchSize - 1) / batchSize;
  }

  private double[] physical(Tensor prediction, int count) {
    Tensor dense = loss.point(prediction, targetRows).to(ScalarType.Double).contiguous();
    double[] values = new double[(int) dense.numel()];
    new DoublePointer(dense.data_ptr()).get(values);
    targetNormalizer.invert(values, count, cells);
    return values;
  }

  private double[] actual(int count) {
    return Arrays.copyOf(reader.targetRows(), count * targetNames.size());
  }
}
