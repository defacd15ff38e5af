package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SplitTest {
  @Test
  void everySampleIsInExactlyOnePart() {
    Split split = Split.of(101, 0.2, 1);
    assertEquals(20, split.validation().length);
    long[] all =
        LongStream.concat(Arrays.stream(split.train()), Arrays.stream(split.validation()))
            .sorted()
            .toArray();
    assertArrayEquals(LongStream.range(0, 101).toArray(), all);
  }

  @Test
  void dependsOnTheSeedAlone() {
    assertArrayEquals(Split.of(50, 0.2, 1).validation(), Split.of(50, 0.2, 1).validation());
    assertFalse(
        Arrays.equals(Split.of(50, 0.2, 1).validation(), Split.of(50, 0.2, 2).validation()));
    assertArrayEquals(new long[] {14, 22, 35, 43, 44}, Split.of(50, 0.1, 1).validation());
  }

  @Test
  void mayHoldNothingOut() {
    assertEquals(0, Split.of(5, 0, 1).validation().length);
  }

  @Test
  void refusesToLeaveNothingToTrainOn() {
    assertThrows(IllegalArgumentException.class, () -> Split.of(0, 0.2, 1));
    assertThrows(IllegalArgumentException.class, () -> Split.of(1, 0.9, 1));
    assertThrows(IllegalArgumentException.class, () -> Split.of(10, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> Split.of(10, Double.NaN, 1));
  }
}
