package dev.lockstep.federated.client;

import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalizer;
import dev.lockstep.data.SplitMix64;
import dev.lockstep.federated.config.AugmentationConfig;
import dev.lockstep.federated.config.FederationPlan;
import java.util.Arrays;
import java.util.List;

/**
 * Shifted and mirrored images, drawn anew each time one is read, in the order of reading. Not
 * thread-safe.
 */
final class ImageVariation extends DatasetView {
  private static final int MOST_ROWS = 1024;

  private final AugmentationConfig config;
  private final int rows;
  private final int columns;
  private final SplitMix64 random;
  private final double[] before;

  /**
   * @param image channels, rows and columns
   * @param seed of what is drawn
   */
  ImageVariation(Dataset plain, AugmentationConfig config, List<Integer> image, long seed) {
    super(plain);
    this.config = config;
    rows = image.get(1);
    columns = image.get(2);
    random = new SplitMix64(seed);
    before = new double[image.get(0) * rows * columns];
  }

  @Override
  void change(long sample, double[] features, int first, int width, double[] targets, int target) {
    int choices = 2 * config.crop() + 1;
    int down = (int) random.nextBelow(choices) - config.crop();
    int right = (int) random.nextBelow(choices) - config.crop();
    boolean mirrored = random.nextBelow(2) == 0 && config.flip();
    System.arraycopy(features, first, before, 0, before.length);
    Arrays.fill(features, first, first + before.length, 0);
    for (int line = 0; line < before.length / columns; line++) {
      int row = line % rows + down;
      if (row < 0 || row >= rows) {
        continue;
      }
      for (int column = 0; column < columns; column++) {
        int from = (mirrored ? columns - 1 - column : column) + right;
        if (from >= 0 && from < columns) {
          features[first + line * columns + column] = before[(line + down) * columns + from];
        }
      }
    }
  }

  /**
   * One mean and deviation for all pixels of a channel, which variations move.
   *
   * @param each those of single pixels
   */
  static Normalizer.Pair ofChannels(
      FederationPlan plan, Dataset dataset, long[] samples, Normalizer.Pair each) {
    int pixels = plan.model().image().get(1) * plan.model().image().get(2);
    Normalizer.Statistics single = each.features().statistics();
    int width = single.mean().size();
    double[] mean = new double[width];
    for (int from = 0; from < width; from += pixels) {
      double sum = 0;
      for (int i = 0; i < pixels; i++) {
        sum += single.mean().get(from + i);
      }
      Arrays.fill(mean, from, from + pixels, sum / pixels);
    }
    double[] squares = squares(dataset, samples, mean);
    double[] deviation = new double[width];
    for (int from = 0; from < width; from += pixels) {
      double sum = Arrays.stream(squares, from, from + pixels).sum();
      double spread = Math.sqrt(sum / pixels / samples.length);
      Arrays.fill(deviation, from, from + pixels, spread > 0 ? spread : 1);
    }
    Normalizer.Statistics shared =
        new Normalizer.Statistics(single.names(), boxed(mean), boxed(deviation));
    return new Normalizer.Pair(new Normalizer(shared), each.targets());
  }

  private static List<Double> boxed(double[] values) {
    return Arrays.stream(values).boxed().toList();
  }

  /** By pixel: the sum of squares about the mean. */
  private static double[] squares(Dataset dataset, long[] samples, double[] mean) {
    double[] squares = new double[mean.length];
    int atOnce = dataset.rowsAtOnce(MOST_ROWS);
    double[] features = new double[atOnce * mean.length];
    double[] targets = new double[atOnce * dataset.targetNames().size()];
    for (int from = 0; from < samples.length; from += atOnce) {
      int count = Math.min(atOnce, samples.length - from);
      dataset.read(samples, from, count, features, targets);
      for (int i = 0; i < count * mean.length; i++) {
        double difference = features[i] - mean[i % mean.length];
        squares[i % mean.length] += difference * difference;
      }
    }
    return squares;
  }
}
