package dev.lockstep.federated.privacy;

/**
 * Lets the clipping norm follow a quantile of the updates' norms: C ← C exp(-η (b - γ)), where b is
 * a noisy share of updates that are not clipped (Andrew, Thakkar, McMahan and Ramaswamy 2021,
 * "Differentially private learning with adaptive clipping", algorithm 1). Immutable.
 *
 * @param quantile γ, the share of updates that are to be shorter than the norm
 * @param learningRate η; 0.2 in the paper
 * @param countNoise the standard deviation σ_b of the noise on the number of updates that are not
 *     clipped; the paper takes a twentieth of the clients of a round
 */
public record AdaptiveClipping(double quantile, double learningRate, double countNoise) {
  /**
   * @throws IllegalArgumentException for a quantile outside (0, 1), or numbers that are not above 0
   */
  public AdaptiveClipping {
    if (!(quantile > 0 && quantile < 1)) {
      throw new IllegalArgumentException("quantile must be between 0 and 1, not " + quantile);
    }
    if (!(learningRate > 0 && Double.isFinite(learningRate))) {
      throw new IllegalArgumentException("learningRate must be above 0, not " + learningRate);
    }
    if (!(countNoise > 0 && Double.isFinite(countNoise))) {
      throw new IllegalArgumentException("countNoise must be above 0, not " + countNoise);
    }
  }

  /** The next round's norm. */
  double next(double clipNorm, double shareBelow) {
    return clipNorm * Math.exp(-learningRate * (shareBelow - quantile));
  }

  /**
   * The noise multiplier of the update, greater than that of the whole, so that update and count
   * together cost what the whole says: (z⁻² - (2σ_b)⁻²)^(-1/2), theorem 1 of the paper. The count
   * is of b - 1/2, which a client changes by 1/2.
   *
   * @throws IllegalArgumentException where the count alone costs as much
   */
  double updateNoise(double noiseMultiplier) {
    if (noiseMultiplier == 0) {
      return 0;
    }
    double rest = Math.pow(noiseMultiplier, -2) - Math.pow(2 * countNoise, -2);
    if (!(rest > 0)) {
      throw new IllegalArgumentException(
          "countNoise must be above "
              + noiseMultiplier / 2
              + ", half the noise multiplier, not "
              + countNoise
              + ": the count would cost the whole budget.");
    }
    return 1 / Math.sqrt(rest);
  }
}
