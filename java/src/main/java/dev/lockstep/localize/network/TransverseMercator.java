package dev.lockstep.localize.network;

/**
 * UTM to latitude and longitude on WGS84 and back, by Krüger's series in the third flattening
 * (Karney, J. Geodesy 85, 2011, equations 7 to 11, 35 and 36, to the fourth order: a micrometre
 * within a zone).
 */
public final class TransverseMercator {
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

  private static final double[] ALPHA = {
    N / 2 - 2 * N * N / 3 + 5 * N * N * N / 16 + 41 * N * N * N * N / 180,
    13 * N * N / 48 - 3 * N * N * N / 5 + 557 * N * N * N * N / 1440,
    61 * N * N * N / 240 - 103 * N * N * N * N / 140,
    49_561 * N * N * N * N / 161_280
  };

  private static final double SQUARED_ECCENTRICITY = FLATTENING * (2 - FLATTENING);

  private TransverseMercator() {}

  /**
   * Latitude and longitude in degrees.
   *
   * @param zone 1 to 60 and the hemisphere N or S, as in 32N; not the latitude band, of which S
   *     lies in the north
   * @throws NetworkException for another zone
   */
  public static double[] toGeodetic(String zone, double easting, double northing) {
    int number = number(zone);
    boolean isSouth = isSouth(zone);
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

  /**
   * Easting and northing in metres, in this zone wherever the place is.
   *
   * @param zone as above
   * @param latitude in degrees
   * @param longitude in degrees
   * @throws NetworkException for another zone
   */
  public static double[] fromGeodetic(String zone, double latitude, double longitude) {
    double fromMeridian = Math.toRadians(longitude - (6 * number(zone) - 183));
    double conformal = conformal(Math.tan(Math.toRadians(latitude)));
    double xiPrime = Math.atan2(conformal, Math.cos(fromMeridian));
    double etaPrime = asinh(Math.sin(fromMeridian) / Math.hypot(conformal, Math.cos(fromMeridian)));
    double xi = xiPrime;
    double eta = etaPrime;
    for (int j = 1; j <= ALPHA.length; j++) {
      xi += ALPHA[j - 1] * Math.sin(2 * j * xiPrime) * Math.cosh(2 * j * etaPrime);
      eta += ALPHA[j - 1] * Math.cos(2 * j * xiPrime) * Math.sinh(2 * j * etaPrime);
    }
    return new double[] {
      FALSE_EASTING + SCALE * RADIUS * eta,
      (isSouth(zone) ? FALSE_NORTHING_SOUTH : 0) + SCALE * RADIUS * xi
    };
  }

  private static boolean isSouth(String zone) {
    return Character.toUpperCase(zone.charAt(zone.length() - 1)) == 'S';
  }

  /** The tangent of the conformal latitude, from the latitude's (equations 7 to 9). */
  private static double conformal(double tau) {
    double eccentricity = Math.sqrt(SQUARED_ECCENTRICITY);
    double secant = Math.hypot(1, tau);
    double sigma = Math.sinh(eccentricity * atanh(eccentricity * tau / secant));
    return tau * Math.hypot(1, sigma) - sigma * secant;
  }

  /** By Newton's method, from the conformal latitude's tangent (Karney's equation 19). */
  private static double tangentOfLatitude(double conformal) {
    double squared = SQUARED_ECCENTRICITY;
    double tau = conformal;
    for (int round = 0; round < 6; round++) {
      double secant = Math.hypot(1, tau);
      double image = conformal(tau);
      tau +=
          (conformal - image)
              / Math.hypot(1, image)
              * (1 + (1 - squared) * tau * tau)
              / ((1 - squared) * secant);
    }
    return tau;
  }

  private static double asinh(double x) {
    return Math.signum(x) * Math.log1p(Math.abs(x) + x * x / (1 + Math.hypot(1, x)));
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
