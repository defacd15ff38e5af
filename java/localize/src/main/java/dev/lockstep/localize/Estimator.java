package dev.lockstep.localize;

import dev.lockstep.comm.Communicator;
import dev.lockstep.localize.fit.Ambiguity;
import dev.lockstep.localize.fit.DeviceOffsets;
import dev.lockstep.localize.fit.GoodnessOfFit;
import dev.lockstep.localize.fit.Outliers;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.Noise;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * From the relaxation's positions to an estimate with its uncertainty: refinement, offsets of
 * devices or else outliers left out, covariances, ambiguous sensors. Collective, like {@link
 * Localizer}.
 */
final class Estimator {
  /**
   * By how much an ellipse has to reach beyond a place for that to be on its rim: the chi-square
   * that one in twenty exceeds, in 2-D and 3-D.
   */
  private static final double[] RIM = {5.991, 7.815};

  private static final double ONE_IN_TWENTY = 0.05;

  private final Communicator group;
  private final SplittingConfig settings;
  private final NativeLocalizer natives;
  private final Phases phases;

  /** On the network that {@code natives} stands for. */
  Estimator(Communicator group, SplittingConfig settings, NativeLocalizer natives, Phases phases) {
    this.group = group;
    this.settings = settings;
    this.natives = natives;
    this.phases = phases;
  }

  /**
   * Estimates.
   *
   * @param split where the splitting ended
   * @param searches for a fold of lower cost
   */
  Estimate estimate(Network network, double[] split, boolean searches) {
    if (!settings.refine() && !settings.uncertainty() && natives.noise().offset() == 0) {
      return uncertain(
          natives,
          new Estimate(
              network,
              new NativeLocalizer.Refined(split, Double.NaN, 0, false),
              new double[0],
              List.of(),
              List.of(),
              0,
              Optional.empty()));
    }
    NativeLocalizer.Refined refined =
        phases.time("refinement", () -> natives.refine(split, searches));
    if (natives.noise().offset() > 0) {
      return withOffsets(network, refined, searches);
    }
    Optional<Network> trimmed =
        settings.huber() == 0
            ? phases.time("outliers", () -> withoutOutliers(network, split, refined))
            : Optional.empty();
    if (trimmed.isEmpty()) {
      return uncertain(natives, plain(network, refined, 0));
    }
    try (NativeLocalizer others =
        new NativeLocalizer(group, trimmed.get(), settings, natives.noise())) {
      return uncertain(
          others,
          plain(
              network, others.refine(split, searches), network.ranges() - trimmed.get().ranges()));
    }
  }

  private static Estimate plain(Network network, NativeLocalizer.Refined refined, int leftOut) {
    return new Estimate(
        network, refined, new double[0], List.of(), List.of(), leftOut, Optional.empty());
  }

  private Estimate uncertain(NativeLocalizer located, Estimate estimate) {
    return uncertain(located, estimate, () -> located.ambiguities(estimate.refined().positions()));
  }

  /** Adds covariances and ambiguous sensors. */
  private Estimate uncertain(
      NativeLocalizer located, Estimate estimate, Supplier<List<Ambiguity>> ambiguities) {
    double[] positions = estimate.refined().positions();
    int d = estimate.network().dimension();
    double[] covariances = new double[positions.length * d];
    if (!settings.uncertainty()) {
      Arrays.fill(covariances, Double.NaN);
      return with(estimate, covariances, List.of(), List.of());
    }
    double[] known = phases.time("covariances", () -> located.covariances(positions));
    System.arraycopy(known, 0, covariances, 0, known.length);
    estimate.offsets().ifPresent(offsets -> widenTo(offsets.covariances(), covariances, d));
    List<Ambiguity> ambiguous = phases.time("ambiguity", ambiguities);
    widen(covariances, positions, ambiguous, d);
    List<Integer> undetermined =
        IntStream.range(0, estimate.network().sensors())
            .filter(sensor -> Double.isNaN(covariances[sensor * d * d]))
            .boxed()
            .toList();
    return with(estimate, covariances, ambiguous, undetermined);
  }

  private static Estimate with(
      Estimate estimate,
      double[] covariances,
      List<Ambiguity> ambiguous,
      List<Integer> undetermined) {
    return new Estimate(
        estimate.network(),
        estimate.refined(),
        covariances,
        ambiguous,
        undetermined,
        estimate.leftOut(),
        estimate.offsets());
  }

  /**
   * Takes the covariances that know of the offsets where they are the larger ones: they are of
   * first order, and where a sensor is weakly held the others, with curvature, say more.
   */
  private static void widenTo(double[] from, double[] covariances, int d) {
    for (int at = 0; at < covariances.length; at += d * d) {
      // A sensor that is not determined stays so: nothing is above NaN.
      if (trace(from, at, d) > trace(covariances, at, d)) {
        System.arraycopy(from, at, covariances, at, d * d);
      }
    }
  }

  private static double trace(double[] matrices, int at, int d) {
    double trace = 0;
    for (int k = 0; k < d; k++) {
      trace += matrices[at + k * (d + 1)];
    }
    return trace;
  }

  /**
   * Offsets from where distances were fitted with the offsets as part of their noise; then the
   * distances without them, fitted and searched like any others; then the offsets once more. Other
   * placements are judged with the offsets as noise: what is fitted to one fold says nothing of
   * another.
   */
  private Estimate withOffsets(Network network, NativeLocalizer.Refined refined, boolean searches) {
    Noise noise = natives.noise();
    DeviceOffsets first =
        phases.time(
            "offsets",
            () -> DeviceOffsets.fit(network, refined.positions(), noise, settings.huber()));
    NativeLocalizer.Refined next;
    try (NativeLocalizer others =
        new NativeLocalizer(group, first.locatable(), settings, noise.withoutOffsets())) {
      next = phases.time("refinement", () -> others.refine(first.positions(), searches));
    }
    DeviceOffsets offsets =
        phases.time(
            "offsets", () -> DeviceOffsets.fit(network, next.positions(), noise, settings.huber()));
    try (NativeLocalizer others =
        new NativeLocalizer(group, offsets.locatable(), settings, noise.withoutOffsets())) {
      return uncertain(
          others,
          new Estimate(
              offsets.network(),
              new NativeLocalizer.Refined(
                  offsets.positions(), next.cost(), next.iterations(), next.converged()),
              new double[0],
              List.of(),
              List.of(),
              0,
              Optional.of(offsets)),
          () -> natives.ambiguities(besides(network, refined, offsets.positions(), searches)));
    }
  }

  /** The optimum with offsets as noise, in the fold of these positions. */
  private double[] besides(
      Network network, NativeLocalizer.Refined refined, double[] positions, boolean searches) {
    return Relaxation.isSameFold(network, refined.positions(), positions)
        ? refined.positions()
        : natives.refine(positions, searches).positions();
  }

  /**
   * Where least squares does not fit but all distances save a few do with a robust loss: the
   * network without these few.
   */
  private Optional<Network> withoutOutliers(
      Network network, double[] split, NativeLocalizer.Refined squares) {
    Noise noise = natives.noise();
    if (!GoodnessOfFit.of(network, squares.positions(), noise).rejects()) {
      return Optional.empty();
    }
    // One of its own: the other keeps the folds that it found beside its last estimate.
    try (NativeLocalizer robust = new NativeLocalizer(group, network, settings, noise)) {
      return Stream.of(split, squares.positions())
          .map(start -> robust.refine(start, false, Outliers.HUBER))
          .min(Comparator.comparingDouble(NativeLocalizer.Refined::cost))
          .flatMap(fit -> Outliers.leftOut(network, fit.positions(), noise));
    }
  }

  /**
   * Adds the other places of ambiguous sensors to their covariances: the second moment, about the
   * estimate, of two places with likelihoods 1 and e⁻ᶜ; at least so much that a place which is more
   * likely than one in twenty is inside the 95 % ellipse.
   */
  private static void widen(
      double[] covariances, double[] positions, List<Ambiguity> ambiguous, int d) {
    for (Ambiguity ambiguity : ambiguous) {
      double likelihood = 1 / (1 + Math.exp(ambiguity.costDifference()));
      double share = likelihood > ONE_IN_TWENTY ? Math.max(likelihood, 1 / RIM[d - 2]) : likelihood;
      int sensor = ambiguity.sensor();
      for (int i = 0; i < d; i++) {
        for (int j = 0; j < d; j++) {
          covariances[(sensor * d + i) * d + j] +=
              share
                  * (ambiguity.alternative()[i] - positions[sensor * d + i])
                  * (ambiguity.alternative()[j] - positions[sensor * d + j]);
        }
      }
    }
  }
}
