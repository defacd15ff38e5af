package dev.lockstep.localize.report;

import java.awt.Shape;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;

/**
 * The ellipse in which a point lies with a probability of 95 %.
 *
 * @param major half axis, at least {@code minor}
 * @param angle of the major axis, radians from the first coordinate towards the second
 */
record Ellipse(double major, double minor, double angle) {
  /** The 95 % quantile of χ² with two degrees of freedom is 5.991. */
  private static final double SCALE = Math.sqrt(-2 * Math.log(0.05));

  /** Of a covariance ((xx, xy), (xy, yy)). */
  static Ellipse of(double xx, double xy, double yy) {
    double mean = (xx + yy) / 2;
    double radius = Math.hypot((xx - yy) / 2, xy);
    return new Ellipse(
        SCALE * Math.sqrt(mean + radius),
        SCALE * Math.sqrt(Math.max(0, mean - radius)),
        Math.atan2(2 * xy, xx - yy) / 2);
  }

  /** In a plot, around a point. */
  Shape around(PlotArea area, double x, double y) {
    AffineTransform place = AffineTransform.getTranslateInstance(area.x(x), area.y(y));
    // Pictures count rows downwards.
    place.rotate(-angle);
    double a = area.pixels(major);
    double b = area.pixels(minor);
    return place.createTransformedShape(new Ellipse2D.Double(-a, -b, 2 * a, 2 * b));
  }
}
