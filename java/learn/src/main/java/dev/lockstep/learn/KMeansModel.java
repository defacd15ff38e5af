package dev.lockstep.learn;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Centres, and how well they fit. Immutable and thread-safe. */
public final class KMeansModel implements LearnedModel {
  static final String FORMAT = "lockstep-k-means";

  private final List<String> features;
  private final double[][] centers;
  private final double cost;
  private final @Nullable Double silhouette;
  private final int iterations;
  private final long rows;
  private final long seed;

  KMeansModel(
      List<String> features,
      double[][] centers,
      double cost,
      @Nullable Double silhouette,
      int iterations,
      long rows,
      long seed) {
    this.features = List.copyOf(features);
    this.centers = centers;
    this.cost = cost;
    this.silhouette = silhouette;
    this.iterations = iterations;
    this.rows = rows;
    this.seed = seed;
  }

  @SuppressWarnings("ArrayRecordComponent") // the file's structure, never compared
  private record Document(
      String format,
      int version,
      List<String> features,
      long rows,
      long seed,
      int iterations,
      double cost,
      @Nullable Double silhouette,
      double[][] centers) {}

  static KMeansModel parse(String json, String source) {
    Document file = Json.read(json, Document.class, source);
    if (file.version() != 1) {
      throw new LearningException(
          source + " has version " + file.version() + " of " + FORMAT + "; this program reads 1.");
    }
    boolean complete =
        file.features() != null
            && file.centers() != null
            && file.centers().length > 0
            && Arrays.stream(file.centers())
                .allMatch(one -> one != null && one.length == file.features().size());
    if (!complete) {
      throw new LearningException(
          source + " is damaged: its centres have not as many coordinates as it names features.");
    }
    return new KMeansModel(
        file.features(),
        file.centers(),
        file.cost(),
        file.silhouette(),
        file.iterations(),
        file.rows(),
        file.seed());
  }

  @Override
  public String toJson() {
    return Json.text(
        new Document(FORMAT, 1, features, rows, seed, iterations, cost, silhouette, centers));
  }

  @Override
  public List<String> features() {
    return features;
  }

  @Override
  public List<List<String>> categories() {
    return features.stream().map(name -> List.<String>of()).toList();
  }

  /** The centres, one array each; a copy. */
  public double[][] centers() {
    return Arrays.stream(centers).map(double[]::clone).toArray(double[][]::new);
  }

  /**
   * Σ weight × squared distance to the nearest centre, over the rows that the model was fitted to.
   */
  public double cost() {
    return cost;
  }

  /** Mean silhouette of a sample; NaN where it was not measured or fell into one cluster. */
  public double silhouette() {
    return silhouette == null ? Double.NaN : silhouette;
  }

  @Override
  public Map<String, Double> scores() {
    Map<String, Double> scores = new LinkedHashMap<>();
    scores.put("cost", cost);
    if (silhouette != null) {
      scores.put("silhouette", silhouette);
    }
    scores.put("iterations", (double) iterations);
    return scores;
  }

  /** Of the start that won. */
  public int iterations() {
    return iterations;
  }

  /** The nearest centre, the first among equals. */
  public int predict(double[] row) {
    Checks.check(
        row.length == features.size(),
        "row: must have " + features.size() + " values, not " + row.length);
    return nearest(row, 0);
  }

  @Override
  public List<String> outputs() {
    return List.of("cluster", "distance");
  }

  @Override
  public void predict(double[] rows, int count, double[] out) {
    for (int i = 0; i < count; i++) {
      int label = nearest(rows, i * features.size());
      out[2 * i] = label;
      out[2 * i + 1] = Math.sqrt(squaredDistance(rows, i * features.size(), label));
    }
  }

  private int nearest(double[] rows, int at) {
    int label = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int j = 0; j < centers.length; j++) {
      double distance = squaredDistance(rows, at, j);
      if (distance < least) {
        least = distance;
        label = j;
      }
    }
    return label;
  }

  private double squaredDistance(double[] rows, int at, int label) {
    double sum = 0;
    double[] center = centers[label];
    for (int i = 0; i < center.length; i++) {
      double difference = rows[at + i] - center[i];
      sum += difference * difference;
    }
    return sum;
  }
}
