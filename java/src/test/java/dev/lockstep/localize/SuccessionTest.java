package dev.lockstep.localize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkBuilder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SuccessionTest {
  private static NetworkBuilder square() {
    return Network.builder(2)
        .anchor("sw", 0, 0)
        .anchor("se", 1, 0)
        .anchor("nw", 0, 1)
        .anchor("ne", 1, 1);
  }

  private static NetworkBuilder measured(NetworkBuilder network, String sensor, double distance) {
    return network
        .range(sensor, "sw", distance)
        .range(sensor, "se", distance)
        .range(sensor, "nw", distance);
  }

  @Test
  void sensorsAreFollowedByName() {
    Network before = measured(measured(square(), "a", 0.5), "b", 0.6).build();
    Network after = measured(measured(square(), "b", 0.6), "c", 0.7).build();

    Succession succession = Succession.of(before, new double[] {0.1, 0.2, 0.3, 0.4}, after);

    assertArrayEquals(new int[] {1, -1}, succession.kept());
    assertEquals(0.3, succession.positions()[0]);
    assertEquals(0.4, succession.positions()[1]);
    assertEquals("1 of 2 sensors were there before", succession.toString());
  }

  @Test
  void aSensorThatJoinsStartsAmongThoseItMeasuresToTheNearOnesCountingMore() {
    Network before = measured(square(), "a", 0.5).build();
    Network after =
        measured(square(), "a", 0.5)
            .range("b", "se", 0.5)
            .range("b", "ne", 0.25)
            .range("b", "c", 0.3)
            .range("c", "d", 0.2)
            .range("b", "d", 0.2)
            .range("c", "a", 1)
            .range("c", "sw", 1)
            .range("d", "e", 0.1)
            .range("e", "b", 0.1)
            .range("e", "c", 0.1)
            .build();

    double[] positions = Succession.of(before, new double[] {0.5, 0.5}, after).positions();

    assertEquals(1, positions[2], 1e-12, "b is between se and ne");
    assertEquals(2.0 / 3, positions[3], 1e-12);
    assertEquals(0.25, positions[4], 1e-12, "c is between a and sw");
    double[] b = {positions[2], positions[3]};
    double[] c = {positions[4], positions[5]};
    assertArrayEquals(
        new double[] {(b[0] + c[0]) / 2, (b[1] + c[1]) / 2},
        new double[] {positions[6], positions[7]},
        1e-12,
        "d only measures to sensors that join");
  }

  @Test
  void somebodyLooksDenselyAtFirstAndAtWhatIsAskedFor() {
    Stops stops =
        new Stops(
            SplittingConfig.of(
                null,
                null,
                100,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                List.of(33, 77)));
    List<Long> all = new ArrayList<>();
    for (long at = 0; at < 100; at = stops.after(at)) {
      all.add(stops.after(at));
    }

    assertEquals(List.of(1L, 2L, 3L), all.subList(0, 3));
    assertEquals(100, all.get(all.size() - 1));
    assertEquals(true, all.contains(33L) && all.contains(77L));
    assertEquals(true, stops.isRecorded(33) && !stops.isRecorded(34));
    for (int i = 1; i < all.size(); i++) {
      assertEquals(true, all.get(i) - all.get(i - 1) <= 5, all.toString());
    }
  }
}
