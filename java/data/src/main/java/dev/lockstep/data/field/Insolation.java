package dev.lockstep.data.field;

/**
 * The daily mean of the sun's radiation at the top of the atmosphere, after A. Berger, "Long-term
 * variations of daily insolation and Quaternary climatic changes", J. Atmos. Sci. 35 (1978),
 * 2362–2367, with the orbit of 1950.
 */
final class Insolation {
  /** W m⁻² at one astronomical unit (Kopp and Lean 2011). */
  private static final double SOLAR_CONSTANT = 1361;

  private static final double ECCENTRICITY = 0.016724;
  private static final double OBLIQUITY = Math.toRadians(23.446);
  private static final double PERIHELION = Math.toRadians(282.04);

  /** Days from the year's beginning to the equinox of March. */
  private static final double EQUINOX = 79.5;

  private static final double YEAR = 365.2422;

  private Insolation() {}

  /**
   * In W m⁻².
   *
   * @param latitude in degrees
   * @param yearFraction the part of the year that is over, in [0, 1)
   */
  static double dailyMean(double latitude, double yearFraction) {
    double longitude = solarLongitude(yearFraction * YEAR);
    double phi = Math.toRadians(latitude);
    double sinDelta = Math.sin(OBLIQUITY) * Math.sin(longitude);
    double delta = Math.asin(sinDelta);
    // The hour angle of sunset; no sunset in the polar day and no sunrise in the polar night.
    double cosH = -Math.tan(phi) * Math.tan(delta);
    double h = Math.acos(Math.max(-1, Math.min(1, cosH)));
    double distance =
        (1 - ECCENTRICITY * ECCENTRICITY) / (1 + ECCENTRICITY * Math.cos(longitude - PERIHELION));
    double mean = h * Math.sin(phi) * sinDelta + Math.cos(phi) * Math.cos(delta) * Math.sin(h);
    return Math.max(0, SOLAR_CONSTANT / Math.PI * mean / (distance * distance));
  }

  /** The true longitude of the sun by the day, to third order in the eccentricity. */
  private static double solarLongitude(double day) {
    double e = ECCENTRICITY;
    double beta = Math.sqrt(1 - e * e);
    double equinox =
        -2
            * ((e / 2 + e * e * e / 8) * (1 + beta) * Math.sin(-PERIHELION)
                - e * e / 4 * (0.5 + beta) * Math.sin(-2 * PERIHELION)
                + e * e * e / 8 * (1.0 / 3 + beta) * Math.sin(-3 * PERIHELION));
    double mean = equinox + (day - EQUINOX) * 2 * Math.PI / YEAR;
    double anomaly = mean - PERIHELION;
    return mean
        + (2 * e - e * e * e / 4) * Math.sin(anomaly)
        + 1.25 * e * e * Math.sin(2 * anomaly)
        + 13.0 / 12 * e * e * e * Math.sin(3 * anomaly);
  }
}
