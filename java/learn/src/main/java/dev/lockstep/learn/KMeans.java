package dev.lockstep.learn;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * k-means over the rows of all ranks. Distances are computed from f64 centres to rows that are held
 * as f32 relative to their columns' means; the nearest centre is that of the smallest distance, the
 * first among equals, whatever bounds spared computing others. Immutable; {@link #fit} is
 * collective.
 */
public final class KMeans {
  /** How the first centres are chosen. */
  public enum Initialization {
    /**
     * k-means|| (Bahmani et al. 2012), with weighted k-means++ and weighted Lloyd on its
     * candidates.
     */
    PARALLEL,
    /** k-means++ (Arthur and Vassilvitskii 2007). */
    PLUS_PLUS,
    /** Different rows, by weight. */
    RANDOM
  }

  /** Which bounds spare distances; the result is the same. */
  public enum Acceleration {
    /** By the number of clusters. */
    AUTO,
    /** None: every distance in every iteration. */
    NONE,
    /** One bound a row (Hamerly 2010). */
    HAMERLY,
    /** A bound for each 16 centres (Yinyang: Ding et al. 2015). */
    YINYANG
  }

  private final Communicator ranks;
  private final Settings settings;
  private final double @Nullable [][] centers;
  private final Acceleration acceleration;
  private final FitListener listener;

  KMeans(KMeansBuilder builder) {
    ranks = builder.ranks;
    settings = builder.settings();
    centers = builder.centers;
    acceleration = builder.acceleration;
    listener = builder.listener;
  }

  /**
   * What the model depends on besides the data.
   *
   * @param batchShare the share of rows in a mini-batch; 1 for Lloyd's iteration
   */
  record Settings(
      int clusters,
      String initialization,
      double oversampling,
      int rounds,
      int restarts,
      int maxIterations,
      double tolerance,
      double batchShare,
      int silhouetteSample,
      long seed) {}

  /** Starts with the defaults: 8 clusters, k-means||, one start, to convergence. */
  public static KMeansBuilder builder(Communicator ranks) {
    return new KMeansBuilder(requireNonNull(ranks, "ranks"));
  }

  /** Where a fit stands between two iterations. */
  @SuppressWarnings("ArrayRecordComponent") // read and written as a whole, never compared
  record State(
      String problem,
      int restart,
      int iteration,
      int done,
      double[] scaledCenters,
      long[] seen,
      double bestCost,
      double[] bestCenters,
      int bestIterations) {}

  /**
   * Fits a model; collective.
   *
   * @param table this rank's rows, with the same columns on all ranks, of which one rank has at
   *     least one row
   * @return the model, the same on all ranks
   * @throws LearningException where the tables or settings of two ranks differ
   * @throws IllegalArgumentException for values that have no distance
   * @throws FitStoppedException when the listener of a rank asked for it
   */
  public KMeansModel fit(Table table) {
    if (table.categories().stream().anyMatch(one -> !one.isEmpty())) {
      throw new LearningException(
          "k-means has no distance between texts; leave out the columns of categories.");
    }
    Agreement.check(ranks, "k-means", Json.text(settings) + "\ncolumns " + table.names());
    long begin = System.nanoTime();
    try (NativeKMeans run = new NativeKMeans(ranks, table)) {
      return new Fit(run, table.names(), begin).go();
    }
  }

  /** One fit. */
  private final class Fit {
    private final NativeKMeans run;
    private final List<String> names;
    private final double threshold;
    private final String problem;
    private double bestCost = Double.POSITIVE_INFINITY;
    private double[] best = {};
    private int bestIterations;
    private int done;

    Fit(NativeKMeans run, List<String> names, long begin) {
      this.run = run;
      this.names = names;
      threshold = settings.tolerance() * run.meanVariance();
      problem = Json.sha256(Json.text(settings) + names + run.allRows());
      listener.phase("load", (System.nanoTime() - begin) / 1e9);
    }

    KMeansModel go() {
      Optional<State> state = Agreement.broadcast(ranks, listener::resumeFrom).map(this::parse);
      int restart = state.map(State::restart).orElse(0);
      for (; restart < settings.restarts(); restart++) {
        int iteration = start(restart, state);
        state = Optional.empty();
        iterate(restart, iteration);
      }
      return model();
    }

    private State parse(String text) {
      State state = Json.read(text, State.class, "the checkpoint");
      if (!state.problem().equals(problem)) {
        throw new LearningException(
            "The checkpoint is of other settings, columns or data; start without --resume.");
      }
      return state;
    }

    /**
     * @return iterations that are done
     */
    private int start(int restart, Optional<State> from) {
      long begin = System.nanoTime();
      int iteration = 0;
      if (from.isPresent()) {
        State state = from.get();
        run.start(state.scaledCenters(), true, state.seen(), acceleration);
        bestCost = state.bestCenters().length == 0 ? Double.POSITIVE_INFINITY : state.bestCost();
        best = state.bestCenters();
        bestIterations = state.bestIterations();
        done = state.done();
        iteration = state.iteration();
      } else if (centers != null) {
        run.start(flat(centers), false, new long[0], acceleration);
      } else {
        long seed = settings.seed() + 0x9E3779B97F4A7C15L * restart;
        run.seed(
            Initialization.valueOf(settings.initialization().toUpperCase(java.util.Locale.ROOT)),
            settings.clusters(),
            settings.oversampling(),
            settings.rounds(),
            seed,
            acceleration);
      }
      listener.phase("seed", (System.nanoTime() - begin) / 1e9);
      return iteration;
    }

    private double[] flat(double[][] rows) {
      double[] all = new double[rows.length * names.size()];
      for (int i = 0; i < rows.length; i++) {
        Checks.check(
            rows[i].length == names.size(),
            "centre " + i + " has " + rows[i].length + " coordinates, not " + names.size());
        System.arraycopy(rows[i], 0, all, i * names.size(), names.size());
      }
      return all;
    }

    private void iterate(int restart, int from) {
      long begin = System.nanoTime();
      int iteration = from;
      boolean moves = true;
      while (moves && iteration < settings.maxIterations()) {
        NativeKMeans.Step step = run.advance(settings.seed(), iteration, settings.batchShare());
        iteration++;
        done++;
        moves = step.shift() > threshold;
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("restart", (double) restart);
        values.put("cost", step.cost());
        values.put("changed", (double) step.changed());
        values.put("repaired", (double) step.repaired());
        listener.step(done, settings.restarts() * settings.maxIterations(), values);
        boolean stop = anyStops();
        int every = listener.checkpointEvery();
        if (stop || (every > 0 && done % every == 0)) {
          save(restart, iteration);
        }
        if (stop) {
          throw new FitStoppedException(done);
        }
      }
      double cost = run.label();
      if (cost < bestCost) {
        bestCost = cost;
        best = run.centers(false);
        bestIterations = iteration;
      }
      listener.phase("iterate", (System.nanoTime() - begin) / 1e9);
    }

    private boolean anyStops() {
      long[] stop = {listener.stopRequested() ? 1 : 0};
      return ranks.allReduce(stop, ReduceOp.MAX)[0] != 0;
    }

    private void save(int restart, int iteration) {
      if (ranks.rank() == 0) {
        double cost = best.length == 0 ? 0 : bestCost;
        State state =
            new State(
                problem,
                restart,
                iteration,
                done,
                run.centers(true),
                run.seen(),
                cost,
                best,
                bestIterations);
        listener.checkpoint(done, Json.text(state));
      }
    }

    private KMeansModel model() {
      long begin = System.nanoTime();
      Double silhouette = null;
      if (settings.silhouetteSample() > 0) {
        run.start(best, false, new long[0], acceleration);
        run.label();
        double value = run.silhouette(settings.silhouetteSample(), settings.seed());
        silhouette = Double.isNaN(value) ? null : value;
        listener.phase("silhouette", (System.nanoTime() - begin) / 1e9);
      }
      double[][] rows = new double[settings.clusters()][];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = java.util.Arrays.copyOfRange(best, i * names.size(), (i + 1) * names.size());
      }
      return new KMeansModel(
          names, rows, bestCost, silhouette, bestIterations, run.allRows(), settings.seed());
    }
  }
}
