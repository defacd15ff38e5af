package dev.lockstep.train.engine;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.Normalizer;
import dev.lockstep.monitor.TargetPredictions;
import dev.lockstep.monitor.ValidationScores;
import dev.lockstep.monitor.metric.AccuracySums;
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
  private final long[] samples;
  private final DataPartitioner.Range share;
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
   * @param samples the held-out samples, the same on all ranks
   * @param batchSize samples at once, at most the reader's capacity
   */
  public Evaluator(
      Compute compute,
      Loss loss,
      BatchReader reader,
      int batchSize,
      Normalizer targetNormalizer,
      List<String> targetNames,
      long[] samples,
      Communicator communicator) {
    this.compute = compute;
    this.loss = loss;
    this.reader = reader;
    this.batchSize = batchSize;
    this.targetNormalizer = targetNormalizer;
    this.targetNames = targetNames;
    this.samples = samples;
    this.communicator = communicator;
    share = new DataPartitioner(samples.length, communicator.size()).partition(communicator.rank());
  }

  /** Hears about a rank's samples, batch by batch. */
  private interface BatchScore {
    void add(Tensor prediction, Tensor target, int count);
  }

  /** Scores the model; collective. */
  public Evaluation evaluate() {
    if (samples.length == 0) {
      return Evaluation.none();
    }
    double[] lossSum = new double[1];
    if (loss.classifies()) {
      long[] correct = new long[1];
      forEachBatch(
          (prediction, target, count) -> {
            lossSum[0] += loss.mean(prediction, target).item_double() * count;
            Tensor hits = prediction.argmax(new LongOptional(1), false).eq(target);
            correct[0] += hits.sum().item_long();
          });
      long all = communicator.allReduce(correct, ReduceOp.SUM)[0];
      OptionalDouble accuracy = OptionalDouble.of(new AccuracySums(all, samples.length).accuracy());
      return new Evaluation(meanLoss(lossSum), new ValidationScores(Map.of(), Map.of(), accuracy));
    }
    RegressionSums own = new RegressionSums(targetNames.size());
    forEachBatch(
        (prediction, target, count) -> {
          lossSum[0] += loss.mean(prediction, target).item_double() * count;
          own.add(physical(prediction, count), actual(count));
        });
    return new Evaluation(meanLoss(lossSum), regressionScores(own));
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
    int stride = (samples.length + limit - 1) / limit;
    List<double[]> pairs = new ArrayList<>();
    int[] at = {(int) share.from()};
    forEachBatch(
        (prediction, target, count) -> {
          double[] predicted = physical(prediction, count);
          for (int i = 0; i < count; i++, at[0]++) {
            if (at[0] % stride == 0) {
              double[] pair = Arrays.copyOfRange(predicted, i * targets, (i + 2) * targets);
              System.arraycopy(reader.targetRows(), i * targets, pair, targets, targets);
              pairs.add(pair);
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
        score.add(compute.predict(batch.inputs()), batch.targets(), count);
      }
    }
  }

  private double[] physical(Tensor prediction, int count) {
    Tensor dense = prediction.to(ScalarType.Double).contiguous();
    double[] values = new double[(int) dense.numel()];
    new DoublePointer(dense.data_ptr()).get(values);
    targetNormalizer.invert(values, count);
    return values;
  }

  private double[] actual(int count) {
    return Arrays.copyOf(reader.targetRows(), count * targetNames.size());
  }
}
