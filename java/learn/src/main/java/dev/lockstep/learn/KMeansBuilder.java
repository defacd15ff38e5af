package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The settings of {@link KMeans} on their way; not thread-safe. */
public final class KMeansBuilder {
  final Communicator ranks;
  private int clusters = 8;
  private KMeans.Initialization initialization = KMeans.Initialization.PARALLEL;
  private double oversampling = 2;
  private int rounds = 5;
  private int restarts = 1;
  private int maxIterations = 300;
  private double tolerance;
  private double batchShare = 1;
  private int silhouetteSample = 1000;
  private long seed;
  double @Nullable [][] centers;
  KMeans.Acceleration acceleration = KMeans.Acceleration.AUTO;
  FitListener listener = FitListener.none();

  KMeansBuilder(Communicator ranks) {
    this.ranks = ranks;
  }

  /** How many; at least 1. */
  public KMeansBuilder clusters(int clusters) {
    this.clusters = clusters;
    return this;
  }

  /** How the first centres are chosen. */
  public KMeansBuilder initialization(KMeans.Initialization initialization) {
    this.initialization = initialization;
    return this;
  }

  /** k-means||: candidates expected in a round, as a multiple of the clusters. */
  public KMeansBuilder oversampling(double oversampling) {
    this.oversampling = oversampling;
    return this;
  }

  /** k-means||: how many rounds. */
  public KMeansBuilder rounds(int rounds) {
    this.rounds = rounds;
    return this;
  }

  /** Begins from these instead, one array for each cluster. */
  public KMeansBuilder centers(double[][] centers) {
    this.centers = centers.clone();
    this.clusters = centers.length;
    return this;
  }

  /** How often to begin anew; the least cost wins, the first among equals. */
  public KMeansBuilder restarts(int restarts) {
    this.restarts = restarts;
    return this;
  }

  /** Of each start. */
  public KMeansBuilder maxIterations(int maxIterations) {
    this.maxIterations = maxIterations;
    return this;
  }

  /**
   * Stops when the sum of the centres' squared movements is at most this times the mean variance of
   * the columns; 0 goes on until nothing moves.
   */
  public KMeansBuilder tolerance(double tolerance) {
    this.tolerance = tolerance;
    return this;
  }

  /** Mini-batches of this share of the rows instead of all of them (Sculley 2010). */
  public KMeansBuilder batchShare(double batchShare) {
    this.batchShare = batchShare;
    return this;
  }

  /** Rows among which the silhouette is measured; 0 for none. */
  public KMeansBuilder silhouetteSample(int silhouetteSample) {
    this.silhouetteSample = silhouetteSample;
    return this;
  }

  /** Of everything that is drawn. */
  public KMeansBuilder seed(long seed) {
    this.seed = seed;
    return this;
  }

  /** Which bounds to use; the result is the same. */
  public KMeansBuilder acceleration(KMeans.Acceleration acceleration) {
    this.acceleration = acceleration;
    return this;
  }

  /** Who is told, and asked for checkpoints. */
  public KMeansBuilder listener(FitListener listener) {
    this.listener = listener;
    return this;
  }

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException naming the setting that is wrong
   */
  public KMeans build() {
    Checks.check(clusters >= 1, "clusters must be at least 1, not " + clusters);
    Checks.check(rounds >= 1, "rounds must be at least 1, not " + rounds);
    Checks.check(restarts >= 1, "restarts must be at least 1, not " + restarts);
    Checks.check(maxIterations >= 1, "max_iterations must be at least 1, not " + maxIterations);
    Checks.check(
        oversampling > 0 && Double.isFinite(oversampling),
        "oversampling must be positive, not " + oversampling);
    Checks.check(
        tolerance >= 0 && Double.isFinite(tolerance),
        "tolerance must be at least 0, not " + tolerance);
    Checks.check(
        batchShare > 0 && batchShare <= 1,
        "batch_share must be above 0 and at most 1, not " + batchShare);
    Checks.check(
        silhouetteSample >= 0, "silhouette_sample must be at least 0, not " + silhouetteSample);
    return new KMeans(this);
  }

  KMeans.Settings settings() {
    return new KMeans.Settings(
        clusters,
        centers == null ? initialization.name().toLowerCase(Locale.ROOT) : "given",
        oversampling,
        rounds,
        centers == null ? restarts : 1,
        maxIterations,
        tolerance,
        batchShare,
        silhouetteSample,
        seed);
  }
}
