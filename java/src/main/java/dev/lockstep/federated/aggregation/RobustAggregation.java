package dev.lockstep.federated.aggregation;

import dev.lockstep.federated.config.AggregationConfig;
import dev.lockstep.federated.config.AggregationConfig.Rule;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The rules that need all changes of a round at once. They treat all clients alike, whatever their
 * number of samples, which a faulty one could make up. Vectors are finite; deterministic in the
 * order in which they come. Not thread-safe.
 */
public final class RobustAggregation {
  private static final double SMALLEST_DISTANCE = 1e-6;

  private final AggregationConfig config;

  /** The last aggregate, about which centred clipping clips. */
  private double[] center;

  public RobustAggregation(AggregationConfig config, int length) {
    this.config = config;
    center = new double[config.rule() == Rule.CENTERED_CLIPPING ? length : 0];
  }

  /**
   * What the rule makes of the changes.
   *
   * @param changes at least {@link AggregationConfig#fewest}
   */
  public double[] combine(List<double[]> changes) {
    return switch (config.rule()) {
      case MEDIAN -> byCoordinate(changes, RobustAggregation::median);
      case TRIMMED_MEAN -> byCoordinate(changes, this::trimmedMean);
      case KRUM -> changes.get(byKrum(changes)[0]);
      case MULTI_KRUM -> multiKrum(changes);
      case GEOMETRIC_MEDIAN -> geometricMedian(changes);
      case CENTERED_CLIPPING -> centeredClipping(changes);
      case MEAN, NORM_BOUND -> throw new IllegalArgumentException(config.rule() + " is a mean");
    };
  }

  /** Live memory, for checkpoints. */
  public double[] center() {
    return center;
  }

  private interface OfSorted {
    double of(double[] sorted);
  }

  private static double[] byCoordinate(List<double[]> changes, OfSorted rule) {
    double[] result = new double[changes.get(0).length];
    double[] column = new double[changes.size()];
    for (int i = 0; i < result.length; i++) {
      for (int k = 0; k < column.length; k++) {
        column[k] = changes.get(k)[i];
      }
      Arrays.sort(column);
      result[i] = rule.of(column);
    }
    return result;
  }

  private static double median(double[] sorted) {
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  private double trimmedMean(double[] sorted) {
    double sum = 0;
    for (int k = config.faulty(); k < sorted.length - config.faulty(); k++) {
      sum += sorted[k];
    }
    return sum / (sorted.length - 2 * config.faulty());
  }

  /** The clients' numbers, the best score first; of equal ones the first. */
  private int[] byKrum(List<double[]> changes) {
    int count = changes.size();
    double[][] squares = new double[count][count];
    for (int a = 0; a < count; a++) {
      for (int b = 0; b < a; b++) {
        squares[a][b] = squares[b][a] = squaredDistance(changes.get(a), changes.get(b));
      }
    }
    int neighbours = count - config.faulty() - 2;
    double[] scores = new double[count];
    for (int a = 0; a < count; a++) {
      int own = a;
      scores[a] =
          IntStream.range(0, count)
              .filter(b -> b != own)
              .mapToDouble(b -> squares[own][b])
              .sorted()
              .limit(neighbours)
              .sum();
    }
    return IntStream.range(0, count)
        .boxed()
        .sorted(Comparator.comparingDouble(a -> scores[a]))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private double[] multiKrum(List<double[]> changes) {
    int[] best = Arrays.copyOf(byKrum(changes), changes.size() - config.faulty());
    Arrays.sort(best);
    return mean(Arrays.stream(best).mapToObj(changes::get).toList());
  }

  private double[] geometricMedian(List<double[]> changes) {
    double[] median = mean(changes);
    for (int iteration = 0; iteration < config.iterations(); iteration++) {
      double[] next = new double[median.length];
      double weights = 0;
      for (double[] change : changes) {
        double distance = Math.sqrt(squaredDistance(change, median));
        double weight = 1 / Math.max(distance, SMALLEST_DISTANCE);
        weights += weight;
        addTo(next, weight, change);
      }
      for (int i = 0; i < next.length; i++) {
        next[i] /= weights;
      }
      median = next;
    }
    return median;
  }

  private double[] centeredClipping(List<double[]> changes) {
    for (int iteration = 0; iteration < config.iterations(); iteration++) {
      double[] next = center.clone();
      for (double[] change : changes) {
        double distance = Math.sqrt(squaredDistance(change, center));
        double share = Math.min(1, config.radius() / Math.max(distance, Double.MIN_NORMAL));
        for (int i = 0; i < next.length; i++) {
          next[i] += share * (change[i] - center[i]) / changes.size();
        }
      }
      center = next;
    }
    return center.clone();
  }

  private static double[] mean(List<double[]> changes) {
    double[] sum = new double[changes.get(0).length];
    for (double[] change : changes) {
      addTo(sum, 1.0 / changes.size(), change);
    }
    return sum;
  }

  private static void addTo(double[] sum, double weight, double[] vector) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += weight * vector[i];
    }
  }

  private static double squaredDistance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = a[i] - b[i];
      sum += difference * difference;
    }
    return sum;
  }
}
