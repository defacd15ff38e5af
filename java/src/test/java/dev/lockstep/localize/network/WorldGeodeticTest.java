package dev.lockstep.localize.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class WorldGeodeticTest {
  @Test
  void aDegreeAlongTheMeridianAndTheEquatorIsAsLongAsTheEllipsoidSays() {
    // WGS84: 110,574.4 m from the equator to 1° N along the meridian; 111,319.5 m along the
    // equator,
    // here as chords in the plane that touches at 0, 0.
    WorldGeodetic plane = new WorldGeodetic(0, 0);
    assertEquals(6_378_137 * Math.sin(Math.toRadians(1)), plane.toPlane(0, 1)[0], 1e-6);
    assertEquals(110_568.8, plane.toPlane(1, 0)[1], 1);
  }

  @Test
  void utmIsWhereOthersSayItIs() {
    // The Eiffel Tower (Veness, Movable Type Scripts: 48.8582° N, 2.2945° E is 31 N 448251.795
    // 5411932.678), and the central meridian at the equator.
    assertArrayEquals(
        new double[] {48.8582, 2.2945},
        TransverseMercator.toGeodetic("31N", 448251.795, 5411932.678),
        1e-8);
    assertArrayEquals(new double[] {0, 3}, TransverseMercator.toGeodetic("31N", 500_000, 0), 1e-12);
    // Mirrored at the equator.
    assertArrayEquals(
        new double[] {-48.8582, 2.2945},
        TransverseMercator.toGeodetic("31S", 448251.795, 10_000_000 - 5411932.678),
        1e-8);
    assertArrayEquals(
        new double[] {448251.795, 5411932.678},
        TransverseMercator.fromGeodetic("31N", 48.8582, 2.2945),
        1e-3);
    assertThrows(
        NetworkException.class, () -> TransverseMercator.toGeodetic("31U", 448251, 5411932));
  }

  @Test
  void placesInAZoneComeBackToTheMicrometre() {
    for (String zone : new String[] {"31N", "31S"}) {
      for (double easting : new double[] {170_000, 499_000, 830_000}) {
        for (double northing : new double[] {1_100_000, 4_700_000, 9_300_000}) {
          double[] there = TransverseMercator.toGeodetic(zone, easting, northing);
          assertArrayEquals(
              new double[] {easting, northing},
              TransverseMercator.fromGeodetic(zone, there[0], there[1]),
              1e-6);
        }
      }
    }
  }

  @Test
  void theFirstZoneReachesOverTheAntimeridian() {
    // 350 km west of the central meridian of zone 1, 177° W: the same longitude in zone 60.
    double[] place = TransverseMercator.toGeodetic("1S", 150_000, 8_100_000);
    assertTrue(place[1] > 179 && place[1] <= 180, () -> place[1] + "°");
  }

  @Test
  void metresOfUtmAreMetresOnTheGroundWithoutItsScale() {
    // At the central meridian a kilometre of UTM is 1000.4 m on the ground.
    double[] one = TransverseMercator.toGeodetic("32N", 500_000, 5_000_000);
    double[] two = TransverseMercator.toGeodetic("32N", 501_000, 5_000_000);
    double[] apart = new WorldGeodetic(one[0], one[1]).toPlane(two);
    assertEquals(1000 / 0.9996, Math.hypot(apart[0], apart[1]), 1e-3);
  }

  @Test
  void pointsInSpaceComeBackToTheMicrometre() {
    WorldGeodetic plane = new WorldGeodetic(47.5, 179.99);
    double[] there = plane.toPlane(47.62, -179.95, 812.5);
    assertArrayEquals(new double[] {47.62, -179.95, 812.5}, plane.fromPlane(there), 1e-9);
    // 0.06° of longitude at 47.6° N.
    assertEquals(4506, there[0], 10);
  }

  @Test
  void pointsOfThePlaneComeBackWithoutAHeight() {
    WorldGeodetic plane = new WorldGeodetic(-33.9, 18.4);
    assertArrayEquals(
        new double[] {-33.87, 18.52}, plane.fromPlane(plane.toPlane(-33.87, 18.52)), 1e-9);
  }
}
