package dev.lockstep.localize.network;

/**
 * Latitude, longitude and height on the WGS84 ellipsoid, and metres in the plane that touches it at
 * an origin: east, north, up (NGA.STND.0036, 2014; conversions by way of earth-centred
 * coordinates). Exact in three dimensions. In two, points lie on the ellipsoid at height 0 and the
 * plane shortens distances by one millionth at 10 km and one ten-thousandth at 100 km.
 */
public final class WorldGeodetic {
  private static final double EQUATORIAL_RADIUS = 6_378_137;
  private static final double FLATTENING = 1 / 298.257223563;
  private static final double ECCENTRICITY_SQUARED = FLATTENING * (2 - FLATTENING);

  private final double latitude;
  private final double longitude;
  private final double[] origin;

  /**
   * Where the plane touches.
   *
   * @param latitude in degrees, −90 to 90
   * @param longitude in degrees, −180 to 360
   */
  public WorldGeodetic(double latitude, double longitude) {
    this.latitude = Math.toRadians(latitude);
    this.longitude = Math.toRadians(longitude);
    origin = earthCentred(this.latitude, this.longitude, 0);
  }

  /**
   * To the plane.
   *
   * @param point latitude and longitude in degrees, and the height in metres where there is one
   * @return east and north in metres; with a height, up
   */
  double[] toPlane(double... point) {
    double height = point.length == 3 ? point[2] : 0;
    double[] there = earthCentred(Math.toRadians(point[0]), Math.toRadians(point[1]), height);
    double x = there[0] - origin[0];
    double y = there[1] - origin[1];
    double z = there[2] - origin[2];
    double outward = Math.cos(longitude) * x + Math.sin(longitude) * y;
    double east = -Math.sin(longitude) * x + Math.cos(longitude) * y;
    double north = -Math.sin(latitude) * outward + Math.cos(latitude) * z;
    double up = Math.cos(latitude) * outward + Math.sin(latitude) * z;
    return point.length == 3 ? new double[] {east, north, up} : new double[] {east, north};
  }

  /**
   * From the plane.
   *
   * @param point east and north in metres; up, or else the height on the ellipsoid is 0
   * @return latitude and longitude in degrees; the height in metres where there was up
   */
  public double[] fromPlane(double... point) {
    if (point.length == 3) {
      return geodetic(point[0], point[1], point[2]);
    }
    double up = 0;
    double[] there = geodetic(point[0], point[1], up);
    for (int round = 0; round < 4; round++) {
      up -= there[2];
      there = geodetic(point[0], point[1], up);
    }
    return new double[] {there[0], there[1]};
  }

  private double[] geodetic(double east, double north, double up) {
    double outward = -Math.sin(latitude) * north + Math.cos(latitude) * up;
    double x = origin[0] - Math.sin(longitude) * east + Math.cos(longitude) * outward;
    double y = origin[1] + Math.cos(longitude) * east + Math.sin(longitude) * outward;
    double z = origin[2] + Math.cos(latitude) * north + Math.sin(latitude) * up;
    double fromAxis = Math.hypot(x, y);
    double angle = Math.atan2(z, fromAxis * (1 - ECCENTRICITY_SQUARED));
    double normal = EQUATORIAL_RADIUS;
    // Bowring's equation by fixed-point iteration: each round gains two digits and more.
    for (int round = 0; round < 12; round++) {
      normal = primeVerticalRadius(angle);
      angle = Math.atan2(z + ECCENTRICITY_SQUARED * normal * Math.sin(angle), fromAxis);
    }
    double height =
        fromAxis * Math.cos(angle)
            + z * Math.sin(angle)
            - EQUATORIAL_RADIUS * EQUATORIAL_RADIUS / primeVerticalRadius(angle);
    return new double[] {Math.toDegrees(angle), Math.toDegrees(Math.atan2(y, x)), height};
  }

  private static double[] earthCentred(double latitude, double longitude, double height) {
    double normal = primeVerticalRadius(latitude);
    double fromAxis = (normal + height) * Math.cos(latitude);
    return new double[] {
      fromAxis * Math.cos(longitude),
      fromAxis * Math.sin(longitude),
      (normal * (1 - ECCENTRICITY_SQUARED) + height) * Math.sin(latitude)
    };
  }

  private static double primeVerticalRadius(double latitude) {
    double sine = Math.sin(latitude);
    return EQUATORIAL_RADIUS / Math.sqrt(1 - ECCENTRICITY_SQUARED * sine * sine);
  }
}
