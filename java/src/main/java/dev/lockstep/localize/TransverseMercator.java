package dev.lockstep.localize;

/**
 * From UTM to latitude and longitude on WGS84, by Krüger's series in the third flattening (Karney,
 * J. Geodesy 85, 2011, equations 10, 11 and 36, to the fourth order: a micrometre within a zone).
 */
final class TransverseMercator {
  private static final double EQUATORIAL_RADIUS = 6_378_137;
  private static final double FLATTENING = 1 / 298.257223563;
  private static final double SCALE = 0.9996;
  private static final double FALSE_EASTING = 500_000;
  private static final double FALSE_NORTHING_SOUTH = 10_000_000;
  private static final double N = FLATTENING / (2 - FLATTENING);

  /** The rectifying radius. */
  private static final double RADIUS =
      EQUATORIAL_RADIUS / (1 + N) * (1 + N * N / 4 + N * N * N * N / 64);

  private static final double[] BETA = {
    N / 2 - 2 * N * N / 3 + 37 * N * N * N / 96 - N * N * N * N / 360,
    N * N / 48 + N * N * N / 15 - 437 * N * N * N * N / 1440,
    17 * N * N * N / 480 - 37 * N * N * N * N / 840,
    4397 * N * N * N * N / 161_280
  };

  private TransverseMercator() {}

  /**
   * Latitude and longitude in degrees.
   *
   * @param zone 1 to 60 and the hemisphere N or S, as in 32N; not the latitude band, of which S
   *     lies in the north
   * @throws NetworkException for another zone
   */
  static double[] toGeodetic(String zone, double easting, double northing) {
    int number = number(zone);
    boolean isSouth = Character.toUpperCase(zone.charAt(zone.length() - 1)) == 'S';
    double xi = (northing - (isSouth ? FALSE_NORTHING_SOUTH : 0)) / (SCALE * RADIUS);
    double eta = (easting - FALSE_EASTING) / (SCALE * RADIUS);
    double xiPrime = xi;
    double etaPrime = eta;
    for (int j = 1; j <= BETA.length; j++) {
      xiPrime -= BETA[j - 1] * Math.sin(2 * j * xi) * Math.cosh(2 * j * eta);
      etaPrime -= BETA[j - 1] * Math.cos(2 * j * xi) * Math.sinh(2 * j * eta);
    }
    double conformal = Math.sin(xiPrime) / Math.hypot(Math.sinh(etaPrime), Math.cos(xiPrime));
    double fromMeridian = Math.toDegrees(Math.atan2(Math.sinh(etaPrime), Math.cos(xiPrime)));
    double longitude = 6 * number - 183 + fromMeridian;
    return new double[] {
      Math.toDegrees(Math.atan(tangentOfLatitude(conformal))),
      longitude < -180 ? longitude + 360 : longitude
    };
  }

  /** By Newton's method, from the conformal latitude's tangent (Karney's equations 7 to 9, 19). */
  private static double tangentOfLatitude(double conformal) {
    double squared = FLATTENING * (2 - FLATTENING);
    double eccentricity = Math.sqrt(squared);
    double tau = conformal;
    for (int round = 0; round < 6; round++) {
      double secant = Math.hypot(1, tau);
      double sigma = Math.sinh(eccentricity * atanh(eccentricity * tau / secant));
      double image = tau * Math.hypot(1, sigma) - sigma * secant;
      tau +=
          (conformal - image)
              / Math.hypot(1, image)
              * (1 + (1 - squared) * tau * tau)
              / ((1 - squared) * secant);
    }
    return tau;
  }

  private static double atanh(double x) {
    return 0.5 * Math.log1p(2 * x / (1 - x));
  }

  private static int number(String zone) {
    if (zone.matches("(?i)([1-9]|0[1-9]|[1-5][0-9]|60) ?[NS]")) {
      return Integer.parseInt(zone.replaceAll("\\D", ""));
    }
    throw new NetworkException(
        "\"" + zone + "\" is no UTM zone: 1 to 60 and the hemisphere N or S, as in 32N");
  }
}
