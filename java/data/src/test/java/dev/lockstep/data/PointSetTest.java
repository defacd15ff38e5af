package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PointSetTest {
  @Test
  void selectsThePointsThatWereAdded() {
    long seed = 4;
    for (int points : new int[] {1, 63, 64, 65, 511, 512, 513, 5000}) {
      // Long empty and long full stretches, and scattered points.
      SplitMix64 random = new SplitMix64(seed + points);
      PointSet set = new PointSet(points);
      List<Long> kept = new ArrayList<>();
      for (long point = 0; point < points; point++) {
        long stretch = point / 700 % 3;
        if (stretch == 0 ? random.nextBelow(3) == 0 : stretch == 2) {
          set.add(point);
          kept.add(point);
        }
      }
      set.seal();
      assertEquals(kept.size(), set.size());
      for (int i = 0; i < kept.size(); i++) {
        assertEquals(kept.get(i), set.select(i), "point " + i + " of " + points);
      }
      assertThrows(IndexOutOfBoundsException.class, () -> set.select(kept.size()));
      assertThrows(IndexOutOfBoundsException.class, () -> set.select(-1));
    }
  }
}
