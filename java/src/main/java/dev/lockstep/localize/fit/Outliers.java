package dev.lockstep.localize.fit;

import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.Noise;
import dev.lockstep.localize.network.Ranges;
import dev.lockstep.localize.network.References;
import java.util.BitSet;
import java.util.Optional;

/**
 * Distances that nothing else agrees with. Least squares gives way to each of them, by as much as
 * it is off, so that one wrong distance can move what the relaxation, a sum of absolute values, has
 * placed right.
 */
public final class Outliers {
  /** Of the distances; more are no outliers but a misfit. */
  private static final double MOST_SHARE = 0.1;

  /** Threshold of Huber's loss, whose fit outliers are looked for beside. */
  public static final double HUBER = 2;

  private Outliers() {}

  /**
   * The network without the distances that are off by more than {@value GoodnessOfFit#NOTABLE}
   * standard deviations, if they are few, the others fit, and all sensors keep references enough.
   *
   * @param positions f64[sensors × dimension]
   */
  public static Optional<Network> leftOut(Network network, double[] positions, Noise noise) {
    double[] standardised = GoodnessOfFit.standardised(network, positions, noise);
    BitSet out = new BitSet();
    double chiSquare = 0;
    for (int range = 0; range < standardised.length; range++) {
      double size = Math.abs(standardised[range]);
      out.set(range, size > GoodnessOfFit.NOTABLE);
      chiSquare += out.get(range) ? 0 : size * size;
    }
    int count = out.cardinality();
    int freedom = network.ranges() - count - network.dimension() * network.sensors();
    boolean isFew = count > 0 && count <= Math.max(1, MOST_SHARE * network.ranges());
    if (!isFew || freedom < 1 || GoodnessOfFit.rejects(chiSquare, freedom)) {
      return Optional.empty();
    }
    Ranges between = network.sensorRanges();
    try {
      return Optional.of(
          References.checked(
              network.withRanges(
                  between.without(out, 0), network.anchorRanges().without(out, between.count()))));
    } catch (NetworkException e) {
      return Optional.empty();
    }
  }
}
