package dev.lockstep.federated.privacy;

/** The natural logarithm of the complementary error function, which the JDK has not. */
final class LogErfc {
  /** From here on the continued fraction converges fast; below, 1 - erf loses under two digits. */
  private static final double FRACTION_FROM = 1.5;

  private static final int FRACTION_TERMS = 200;

  private LogErfc() {}

  /** For any finite x, to about 1e-13, relative where erfc is small. */
  static double of(double x) {
    if (x < FRACTION_FROM) {
      return Math.log1p(-erf(x));
    }
    // Abramowitz and Stegun 7.1.14: sqrt(pi) exp(x²) erfc(x) = 1/(x + (1/2)/(x + 1/(x + (3/2)/...
    double denominator = x;
    for (int n = FRACTION_TERMS; n >= 1; n--) {
      denominator = x + n / 2.0 / denominator;
    }
    return -x * x - Math.log(denominator) - Math.log(Math.PI) / 2;
  }

  /** By Abramowitz and Stegun 7.1.6, whose terms have one sign. */
  private static double erf(double x) {
    if (x < -6) {
      return -1; // to the last bit
    }
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }
}
