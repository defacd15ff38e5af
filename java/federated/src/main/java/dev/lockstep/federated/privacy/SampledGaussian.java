package dev.lockstep.federated.privacy;

import dev.lockstep.federated.privacy.ClientSampling.Sampler;

/**
 * Rényi differential privacy of one release of a sum with Gaussian noise over a sample: for each
 * order α a bound of the Rényi divergence between the outputs of neighbouring populations.
 *
 * <p>{@code sigma} is the noise's standard deviation over the sensitivity of the sum, that is over
 * how far the sums of two neighbouring populations are apart.
 */
final class SampledGaussian {
  /** Terms of the series for a fractional order. */
  private static final int MAX_TERMS = 1000;

  /** Up to here the moments of {@link LikelihoodMoments} are used, above only the simpler bound. */
  private static final int MAX_ORDER_WITH_MOMENTS = 256;

  private static final double TOO_SMALL_FOR_SERIES = 1e-8;

  private final double rate;
  private final double sigma;
  private final Sampler sampler;
  private final LikelihoodMoments moments;

  SampledGaussian(Sampler sampler, double rate, double sigma) {
    this.sampler = sampler;
    this.rate = rate;
    this.sigma = sigma;
    moments = new LikelihoodMoments(sigma);
  }

  /** The bound at an order above 1; infinite where none is known. */
  double divergence(double order) {
    if (sigma == 0) {
      return Double.POSITIVE_INFINITY;
    }
    if (rate == 1) {
      return order / (2 * sigma * sigma); // Mironov 2017, corollary 3
    }
    double cumulant = sampler == Sampler.POISSON ? poisson(order) : fixedSize(order);
    return cumulant / (order - 1);
  }

  /** ln A_α of Mironov, Talwar and Zhang 2019 ("RDP of the sampled Gaussian mechanism"). */
  private double poisson(double order) {
    if (order == Math.rint(order)) {
      return poissonWhole((int) order);
    }
    double cumulant = poissonFractional(order);
    if (cumulant > TOO_SMALL_FOR_SERIES) {
      return cumulant;
    }
    // The sum is so near to 1 that its rounding errors count; divergences grow with the order.
    double next = Math.ceil(order);
    return poissonWhole((int) next) / (next - 1) * (order - 1);
  }

  /**
   * Section 3.3, integer α: A_α = Σ_k C(α,k) (1-q)^(α-k) q^k exp((k²-k)/(2σ²)), as 1 and what it is
   * above 1, so that small rates keep their digits.
   */
  private double poissonWhole(int order) {
    double above = Double.NEGATIVE_INFINITY;
    double logBinomial = Math.log(order);
    for (int k = 2; k <= order; k++) {
      logBinomial += Math.log((order - k + 1.0) / k);
      double share = logBinomial + k * Math.log(rate) + (order - k) * Math.log1p(-rate);
      above = logAdd(above, share + logExpm1(gaussianCumulant(k)));
    }
    return logAdd(0, above);
  }

  /**
   * Section 3.3, fractional α: the integral is cut at z0, where both densities of the mixture are
   * equal, and each part is a binomial series. Of terms that alternate in sign beyond k = α the
   * magnitudes are summed, as dp-accounting 0.6.0 does: never below the true value.
   */
  private double poissonFractional(double order) {
    double cut = sigma * sigma * Math.log(1 / rate - 1) + 0.5;
    double below = Double.NEGATIVE_INFINITY;
    double above = Double.NEGATIVE_INFINITY;
    double lastBelow = below;
    double lastAbove = above;
    double logBinomial = 0;
    for (int k = 0; k < MAX_TERMS; k++) {
      if (k > 0) {
        logBinomial += Math.log(Math.abs(order - k + 1) / k);
      }
      double rest = order - k;
      double termBelow =
          logBinomial + k * Math.log(rate) + rest * Math.log1p(-rate) + gaussianCumulant(k);
      termBelow += Math.log(0.5) + LogErfc.of((k - cut) / (Math.sqrt(2) * sigma));
      double termAbove =
          logBinomial + rest * Math.log(rate) + k * Math.log1p(-rate) + gaussianCumulant(rest);
      termAbove += Math.log(0.5) + LogErfc.of((cut - rest) / (Math.sqrt(2) * sigma));
      below = logAdd(below, termBelow);
      above = logAdd(above, termAbove);
      double total = logAdd(below, above);
      boolean shrinking = termBelow < lastBelow && termAbove < lastAbove;
      if (shrinking && Math.max(termBelow, termAbove) < total - 30) {
        return total;
      }
      lastBelow = termBelow;
      lastAbove = termAbove;
    }
    return Double.POSITIVE_INFINITY; // has not converged: another order will be the best
  }

  /**
   * Wang, Balle and Kasiviswanathan 2019 ("Subsampled Rényi differential privacy and analytical
   * moments accountant"), theorem 9 in its stronger form for Gaussian noise (theorem 27 of the long
   * version), for neighbours that differ in one client's data; corollary 10 between whole orders.
   */
  private double fixedSize(double order) {
    double low = Math.floor(order);
    double share = order - low;
    double cumulant = fixedSizeWhole((int) low);
    return share == 0 ? cumulant : (1 - share) * cumulant + share * fixedSizeWhole((int) low + 1);
  }

  private double fixedSizeWhole(int order) {
    if (order == 1) {
      return 0;
    }
    double second = 1 / (sigma * sigma); // ε(2)
    double sum = 0; // ln 1, of the first term
    double logBinomial = Math.log(order);
    for (int j = 2; j <= order; j++) {
      logBinomial += Math.log((order - j + 1.0) / j);
      double bound = Math.log(2) + gaussianCumulant(j);
      if (j == 2) {
        bound = Math.min(bound, Math.log(4) + logExpm1(second));
      } else if (order <= MAX_ORDER_WITH_MOMENTS) {
        double between = (moments.log(j - j % 2) + moments.log(j + j % 2)) / 2;
        bound = Math.min(bound, Math.log(4) + between);
      }
      sum = logAdd(sum, j * Math.log(rate) + logBinomial + bound);
    }
    return sum;
  }

  /** ln of the x-th moment of the likelihood ratio: (x - 1) ε(x) of the Gaussian mechanism. */
  private double gaussianCumulant(double x) {
    return x * (x - 1) / (2 * sigma * sigma);
  }

  /** ln(exp(x) - 1), where exp(x) may overflow. */
  private static double logExpm1(double x) {
    return x > 40 ? x : Math.log(Math.expm1(x));
  }

  static double logAdd(double a, double b) {
    double low = Math.min(a, b);
    double high = Math.max(a, b);
    return low == Double.NEGATIVE_INFINITY ? high : high + Math.log1p(Math.exp(low - high));
  }
}
