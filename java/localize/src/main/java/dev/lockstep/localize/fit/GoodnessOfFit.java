package dev.lockstep.localize.fit;

import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.Noise;
import dev.lockstep.localize.network.Ranges;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * How well positions fit the measured distances. The standard deviation of a distance is as in the
 * refinement: what grows with the distance is taken from the one between the positions.
 *
 * @param chiSquare the sum of squares of the residuals, each in its standard deviations
 * @param degreesOfFreedom distances less coordinates; what {@code chiSquare} is on average where
 *     the noise is as given and the sensors are in the right places
 * @param medianSize of the residuals, in their standard deviations; about 0.6 where all is as given
 * @param worst the residuals of more than {@value #NOTABLE} standard deviations, the largest first,
 *     {@value #LISTED} at most
 */
public record GoodnessOfFit(
    double chiSquare, int degreesOfFreedom, double medianSize, List<Residual> worst) {
  private static final double IMPOSSIBLE = 4;
  static final double NOTABLE = 4;
  private static final int LISTED = 10;

  /** The standard normal's quantile for one in a thousand. */
  private static final double ONE_IN_A_THOUSAND = 3.09;

  /** Copies the list. */
  public GoodnessOfFit {
    worst = List.copyOf(worst);
  }

  /**
   * A measured distance that the positions do not have.
   *
   * @param from a sensor's name
   * @param to a sensor's or an anchor's
   * @param measured the distance as it was measured
   * @param located the distance between the positions
   * @param standardised measured less located, in standard deviations
   */
  public record Residual(
      String from, String to, double measured, double located, double standardised) {}

  /**
   * Of positions.
   *
   * @param positions f64[sensors × dimension]
   * @param noise how far off distances are
   */
  public static GoodnessOfFit of(Network network, double[] positions, Noise noise) {
    return of(network, network, positions, noise);
  }

  /**
   * As above.
   *
   * @param measured the network with the distances that the worst residuals name
   */
  public static GoodnessOfFit of(
      Network network, Network measured, double[] positions, Noise noise) {
    double sum = 0;
    double[] sizes = standardised(network, positions, noise);
    List<Residual> notable = new ArrayList<>();
    for (int range = 0; range < sizes.length; range++) {
      double standardised = sizes[range];
      sum += standardised * standardised;
      sizes[range] = Math.abs(standardised);
      if (sizes[range] > NOTABLE) {
        notable.add(residual(measured, positions, range, standardised));
      }
    }
    Arrays.sort(sizes);
    notable.sort(Comparator.comparingDouble(residual -> -Math.abs(residual.standardised())));
    return new GoodnessOfFit(
        sum,
        network.ranges() - network.dimension() * network.sensors(),
        sizes[sizes.length / 2],
        notable.subList(0, Math.min(LISTED, notable.size())));
  }

  /** This with squares more in chi-square that take as many degrees of freedom as they give. */
  public GoodnessOfFit plus(double squares) {
    return new GoodnessOfFit(chiSquare + squares, degreesOfFreedom, medianSize, worst);
  }

  /** Of each distance, those between sensors first: measured less located, in its deviations. */
  public static double[] standardised(Network network, double[] positions, Noise noise) {
    Ranges between = network.sensorRanges();
    Ranges toAnchors = network.anchorRanges();
    double least = 1e-3 * meanRange(between, toAnchors);
    double[] standardised = new double[network.ranges()];
    for (int range = 0; range < standardised.length; range++) {
      boolean isBetween = range < between.count();
      Ranges ranges = isBetween ? between : toAnchors;
      int row = isBetween ? range : range - between.count();
      double located = located(network, positions, range);
      double measured = ranges.distances()[row];
      standardised[range] =
          (measured - located)
              / noise.deviation(located, measured, ranges.deviations()[row], least);
    }
    return standardised;
  }

  static double located(Network network, double[] positions, int range) {
    int d = network.dimension();
    Ranges between = network.sensorRanges();
    boolean isBetween = range < between.count();
    Ranges ranges = isBetween ? between : network.anchorRanges();
    int row = isBetween ? range : range - between.count();
    double square = 0;
    for (int axis = 0; axis < d; axis++) {
      int to = ranges.second(row);
      double there = isBetween ? positions[to * d + axis] : network.anchor(to, axis);
      square += Math.pow(positions[ranges.first(row) * d + axis] - there, 2);
    }
    return Math.sqrt(square);
  }

  private static Residual residual(
      Network network, double[] positions, int range, double standardised) {
    Ranges between = network.sensorRanges();
    boolean isBetween = range < between.count();
    Ranges ranges = isBetween ? between : network.anchorRanges();
    int row = isBetween ? range : range - between.count();
    int to = ranges.second(row);
    return new Residual(
        network.sensorName(ranges.first(row)),
        isBetween ? network.sensorName(to) : network.anchorName(to),
        ranges.distances()[row],
        located(network, positions, range),
        standardised);
  }

  /**
   * Whether this cannot be a fit at all: half of the distances are off by more than {@value
   * #IMPOSSIBLE} standard deviations, as they are in feet beside anchors in metres. Wrong folds and
   * outliers leave most distances as they are.
   */
  public boolean isImpossible() {
    return medianSize > IMPOSSIBLE;
  }

  /**
   * Refuses what cannot be a fit.
   *
   * @throws NetworkException where {@link #isImpossible}
   */
  public void check() {
    if (isImpossible()) {
      throw new NetworkException(
          String.format(
              Locale.ROOT,
              "half of the ranges are off by more than %.3g standard deviations (chi-square %.4g"
                  + " with %,d degrees of freedom), so this is no fit: look whether ranges and"
                  + " anchors are in one unit (metres, feet, degrees), whether anchors are swapped,"
                  + " and whether measurements.noise_factor or noise_sigma is far too small",
              medianSize,
              chiSquare,
              degreesOfFreedom));
    }
  }

  /**
   * Whether ranges of the given noise leave as large a {@code chiSquare} less than once in a
   * thousand times (Wilson and Hilferty's approximation of its distribution, PNAS 17, 1931).
   */
  public boolean rejects() {
    return rejects(chiSquare, degreesOfFreedom);
  }

  public static boolean rejects(double chiSquare, double degreesOfFreedom) {
    return rejects(chiSquare, degreesOfFreedom, 1);
  }

  /**
   * Whether one of so many values of chi-square is as large by chance less than once in a thousand
   * times (the tail of the normal distribution falls with exp(−z²/2)).
   */
  public static boolean rejects(double chiSquare, double degreesOfFreedom, int ofSoMany) {
    if (degreesOfFreedom < 1) {
      return false;
    }
    double spread = 2.0 / (9.0 * degreesOfFreedom);
    double normal = (Math.cbrt(chiSquare / degreesOfFreedom) - (1 - spread)) / Math.sqrt(spread);
    return normal > Math.sqrt(ONE_IN_A_THOUSAND * ONE_IN_A_THOUSAND + 2 * Math.log(ofSoMany));
  }

  static double meanRange(Ranges between, Ranges toAnchors) {
    double sum = 0;
    for (Ranges ranges : List.of(between, toAnchors)) {
      for (double distance : ranges.distances()) {
        sum += distance;
      }
    }
    int count = between.count() + toAnchors.count();
    return sum > 0 ? sum / count : 1;
  }
}
