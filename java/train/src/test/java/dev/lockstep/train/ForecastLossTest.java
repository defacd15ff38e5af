package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.model.Predictor;
import dev.lockstep.monitor.RunFolder;
import dev.lockstep.train.TrainingConfig.LossType;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What networks learn by losses of distributions and of maps, and what their files predict. */
@Timeout(240)
class ForecastLossTest {
  @TempDir Path folder;

  /** y = 3 x + 7 with a normal noise of the standard deviation 2. */
  private static ArrayDataset noisy() {
    Random random = new Random(11);
    double[][] features = new double[3000][1];
    double[][] targets = new double[3000][1];
    for (int i = 0; i < features.length; i++) {
      features[i][0] = 4 + 5 * random.nextGaussian();
      targets[i][0] = 3 * features[i][0] + 7 + 2 * random.nextGaussian();
    }
    return new ArrayDataset(features, targets);
  }

  private Predictor trained(LossConfig loss) throws Exception {
    OptimizerConfig adam = Runs.optimizer(OptimizerConfig.Type.ADAM, 0.03, 0);
    TrainingConfig training =
        TrainingConfig.of(25, 60, null, null, null, null, null).withLoss(loss);
    Path into = folder.resolve(loss.type().name());
    Runs.train(
        2,
        Runs.Plan.of(25, adam)
            .training(training)
            .model(ModelConfig.of(null, List.of(), null, null, null)),
        noisy(),
        into);
    return Predictor.load(new RunFolder(into).model());
  }

  @Test
  void aDistributionHasTheMeanAndTheSpreadOfTheTruth() throws Exception {
    for (LossType type : List.of(LossType.GAUSSIAN_NLL, LossType.CRPS)) {
      try (Predictor predictor = trained(LossConfig.of(type))) {
        double[] forecast = predictor.predict(4);
        assertEquals(List.of("y0", "y0_sd"), predictor.targets());
        assertEquals(19, forecast[0], 0.3, type.name());
        assertEquals(2, forecast[1], 0.2, type.name());
      }
    }
  }

  /**
   * Of a normal distribution the quantile of 0.1 lies 1.2816 standard deviations below the mean.
   */
  @Test
  void quantilesAreThoseOfTheTruth() throws Exception {
    try (Predictor predictor = trained(LossConfig.quantiles(List.of(0.1, 0.5, 0.9)))) {
      double[] forecast = predictor.predict(4);
      assertEquals(List.of("y0_q10", "y0_q50", "y0_q90"), predictor.targets());
      assertEquals(19 - 1.2816 * 2, forecast[0], 0.4);
      assertEquals(19, forecast[1], 0.4);
      assertEquals(19 + 1.2816 * 2, forecast[2], 0.4);
    }
  }

  @Test
  void keysOfOtherLossesAndWrongOnesAreRefused() {
    assertThrows(ConfigKeyException.class, () -> LossConfig.quantiles(List.of(0.5, 0.5)));
    assertThrows(ConfigKeyException.class, () -> LossConfig.quantiles(List.of(0.0, 0.5)));
    assertThrows(ConfigKeyException.class, () -> LossConfig.crossEntropy(List.of(1.0, -1.0)));
    assertThrows(ConfigKeyException.class, () -> LossConfig.of(LossType.FILE));
    assertThrows(ConfigKeyException.class, () -> LossConfig.of("rmse"));
    assertThrows(
        ConfigKeyException.class,
        () -> new LossConfig(LossType.MSE, List.of(1.0), List.of(), null));
  }

  /**
   * Maps of 4 × 6 cells with weights of cells and targets, a third of which is missing.
   *
   * @param classes how many; 0 for two targets of values
   */
  private record Maps(int classes) implements Dataset {
    @Override
    public long size() {
      return 90;
    }

    @Override
    public List<String> featureNames() {
      return List.of("a", "b");
    }

    @Override
    public List<String> targetNames() {
      return classes > 0 ? List.of("class") : List.of("u", "v");
    }

    @Override
    public int cells() {
      return 24;
    }

    @Override
    public long[] featureShape() {
      return new long[] {2, 4, 6};
    }

    @Override
    public long[] targetShape() {
      return new long[] {targetNames().size(), 4, 6};
    }

    @Override
    public double[] cellWeights() {
      double[] weights = new double[24];
      for (int i = 0; i < 24; i++) {
        weights[i] = 0.5 + i / 6 * 0.5;
      }
      return weights;
    }

    @Override
    public double[] targetWeights() {
      return classes > 0 ? new double[0] : new double[] {1.6, 0.4};
    }

    @Override
    public Normalizer.Pair normalizers(long[] samples, Communicator communicator) {
      return new Normalizer.Pair(none(featureNames()), none(targetNames()));
    }

    private static Normalizer none(List<String> names) {
      return new Normalizer(
          new Normalizer.Statistics(
              names,
              Collections.nCopies(names.size(), 0.0),
              Collections.nCopies(names.size(), 1.0)));
    }

    @Override
    public void read(long[] indices, int from, int count, double[] features, double[] targets) {
      int wide = targetNames().size() * 24;
      for (int i = 0; i < count; i++) {
        Random random = new Random(indices[from + i]);
        for (int c = 0; c < 48; c++) {
          features[i * 48 + c] = random.nextGaussian();
        }
        for (int c = 0; c < wide; c++) {
          double own = features[i * 48 + c];
          // Which third is missing goes with the sample, so that ranks have different numbers.
          boolean missing = (c + indices[from + i] * c / 7) % 3 == 0;
          double value = classes > 0 ? (own > 0.5 ? 2 : own > -0.5 ? 1 : 0) : own * own - own;
          targets[i * wide + c] = missing ? Double.NaN : value;
        }
      }
    }

    @Override
    public long point(long sample) {
      return sample;
    }

    @Override
    public String description() {
      return "maps in memory";
    }

    @Override
    public void close() {}
  }

  private static final ModelConfig RESNET =
      ModelConfig.of(
          ModelConfig.Type.RESNET,
          null,
          null,
          null,
          null,
          null,
          8,
          1,
          null,
          null,
          null,
          null,
          null,
          null);

  private TrainingResult maps(int ranks, LossConfig loss, int epochs, Dataset data, String name)
      throws Exception {
    TrainingConfig training =
        TrainingConfig.of(epochs, 10, null, null, null, null, null).withLoss(loss);
    OptimizerConfig adam = Runs.optimizer(OptimizerConfig.Type.ADAM, 0.01, 0);
    return Runs.train(
            ranks,
            Runs.Plan.of(epochs, adam).training(training).model(RESNET),
            data,
            folder.resolve(name))
        .get(0);
  }

  @Test
  void maskedMapsOnSeveralRanksHaveTheLossAndTheModelOfOne() throws Exception {
    List<LossConfig> losses =
        List.of(
            LossConfig.of(LossType.CRPS),
            LossConfig.quantiles(List.of(0.2, 0.8)),
            LossConfig.crossEntropy(List.of(1.0, 3.0, 0.5)));
    for (LossConfig loss : losses) {
      Maps data = new Maps(loss.classifies() ? 3 : 0);
      TrainingResult one = maps(1, loss, 1, data, loss.type() + "1");
      TrainingResult three = maps(3, loss, 1, data, loss.type() + "3");
      double expected = one.summary().orElseThrow().validationLoss();
      assertEquals(expected, three.summary().orElseThrow().validationLoss(), 1e-5, loss.toString());
      double difference =
          Runs.difference(folder.resolve(loss.type() + "3"), folder.resolve(loss.type() + "1"));
      assertTrue(difference < 1e-4, loss + ": " + difference);
    }
  }

  @Test
  void classesOfCellsAreLearnedAndPredictedWithTheirProbabilities() throws Exception {
    TrainingResult result =
        maps(2, LossConfig.of(LossType.CROSS_ENTROPY), 12, new Maps(3), "classes");
    double accuracy = result.summary().orElseThrow().scores().accuracy().orElseThrow();
    assertTrue(accuracy > 0.85, "accuracy " + accuracy);
    double[] features = new double[48];
    double[] targets = new double[24];
    new Maps(3).read(new long[] {1}, 0, 1, features, targets);
    try (Predictor predictor = Predictor.load(new RunFolder(folder.resolve("classes")).model())) {
      double[] outputs = predictor.predict(features, 1, new long[] {2, 4, 6});
      assertEquals(4 * 24, outputs.length);
      for (int c = 0; c < 24; c++) {
        int likeliest = 0;
        double sum = 0;
        for (int k = 0; k < 3; k++) {
          sum += outputs[(k + 1) * 24 + c];
          likeliest = outputs[(k + 1) * 24 + c] > outputs[(likeliest + 1) * 24 + c] ? k : likeliest;
        }
        assertEquals(1, sum, 1e-6);
        assertEquals(likeliest, outputs[c]);
      }
      assertEquals(
          List.of("class", "class_p0", "class_p1", "class_p2"),
          predictor.description().orElseThrow().targets());
    }
  }
}
