package dev.lockstep.localize;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How well positions fit the measured distances. The standard deviation of a distance is the noise
 * factor times the distance between the positions, at least half the measured one, as in the
 * refinement.
 *
 * @param chiSquare the sum of squares of the residuals, each in its standard deviations
 * @param degreesOfFreedom distances less coordinates; what {@code chiSquare} is on average where
 *     the noise is as given and the sensors are in the right places
 * @param worst the residuals of more than {@value #NOTABLE} standard deviations, the largest first,
 *     {@value #LISTED} at most
 */
public record GoodnessOfFit(double chiSquare, int degreesOfFreedom, List<Residual> worst) {
  private static final double NOTABLE = 4;
  private static final int LISTED = 10;
  private static final double LEAST_SHARE = 0.5;

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
   * @param noiseFactor σ, the standard deviation of a distance as a fraction of it
   */
  static GoodnessOfFit of(Network network, double[] positions, double noiseFactor) {
    int d = network.dimension();
    double sum = 0;
    List<Residual> notable = new ArrayList<>();
    Ranges between = network.sensorRanges();
    Ranges toAnchors = network.anchorRanges();
    double least = 1e-3 * meanRange(between, toAnchors);
    for (int range = 0; range < network.ranges(); range++) {
      boolean isBetween = range < between.count();
      Ranges ranges = isBetween ? between : toAnchors;
      int row = isBetween ? range : range - between.count();
      int from = ranges.first(row);
      int to = ranges.second(row);
      double square = 0;
      for (int axis = 0; axis < d; axis++) {
        double there = isBetween ? positions[to * d + axis] : network.anchor(to, axis);
        square += Math.pow(positions[from * d + axis] - there, 2);
      }
      double located = Math.sqrt(square);
      double measured = ranges.distances()[row];
      double deviation = noiseFactor * Math.max(Math.max(located, LEAST_SHARE * measured), least);
      double standardised = (measured - located) / deviation;
      sum += standardised * standardised;
      if (Math.abs(standardised) > NOTABLE) {
        String other = isBetween ? network.sensorName(to) : network.anchorName(to);
        notable.add(new Residual(network.sensorName(from), other, measured, located, standardised));
      }
    }
    notable.sort(Comparator.comparingDouble(residual -> -Math.abs(residual.standardised())));
    return new GoodnessOfFit(
        sum,
        network.ranges() - d * network.sensors(),
        notable.subList(0, Math.min(LISTED, notable.size())));
  }

  /**
   * Whether ranges of the given noise leave as large a {@code chiSquare} less than once in a
   * thousand times (Wilson and Hilferty's approximation of its distribution, PNAS 17, 1931).
   */
  public boolean rejects() {
    if (degreesOfFreedom < 1) {
      return false;
    }
    double spread = 2.0 / (9.0 * degreesOfFreedom);
    double normal = (Math.cbrt(chiSquare / degreesOfFreedom) - (1 - spread)) / Math.sqrt(spread);
    return normal > ONE_IN_A_THOUSAND;
  }

  private static double meanRange(Ranges between, Ranges toAnchors) {
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
