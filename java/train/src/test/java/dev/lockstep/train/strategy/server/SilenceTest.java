package dev.lockstep.train.strategy.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Who is waited for, and for how long, in pulses. */
class SilenceTest {
  private static final List<Integer> ALL = List.of(0, 1, 2);

  private final Silence silence = new Silence();

  private void ask(int rank) {
    silence.asked(rank);
    silence.received(rank, true);
  }

  private OptionalInt pulses(int count) {
    OptionalInt silent = OptionalInt.empty();
    for (int i = 0; i < count && silent.isEmpty(); i++) {
      silent = silence.pulse(ALL);
    }
    return silent;
  }

  @Test
  void aRankIsSilentWhenOthersHaveWaitedForItForMoreThanADeadline() {
    assertEquals(OptionalInt.empty(), pulses(3 * Silence.PULSES), "nobody waits");
    ask(0);
    ask(2);
    assertEquals(OptionalInt.empty(), pulses(Silence.PULSES));
    assertEquals(OptionalInt.of(1), silence.pulse(ALL));
  }

  @Test
  void whoIsHeardOfInTimeIsNotSilentHoweverLongTheOthersWait() {
    ask(0);
    ask(2);
    for (int step = 0; step < 100; step++) {
      assertEquals(OptionalInt.empty(), pulses(Silence.PULSES));
      ask(1);
      silence.done(1);
    }
  }

  @Test
  void whoHasAskedButDoesNotSendWhatGoesWithItIsSilent() {
    ask(0);
    ask(1);
    silence.asked(2);
    assertEquals(OptionalInt.empty(), pulses(Silence.PULSES));
    assertEquals(OptionalInt.of(2), silence.pulse(ALL));
  }

  @Test
  void nobodyIsSilentForRanksThatAreAnsweredInTime() {
    for (int step = 0; step < 100; step++) {
      ask(0);
      ask(2);
      assertEquals(OptionalInt.empty(), pulses(Silence.PULSES), "rank 1 takes a long step");
      silence.done(0);
      silence.done(2);
    }
  }

  @Test
  void whoseOwnGradientsAreOnTheirWayDoesNotWaitForOthers() {
    silence.asked(0);
    silence.asked(2);
    assertEquals(OptionalInt.empty(), pulses(3 * Silence.PULSES));
  }

  @Test
  void aRankThatOnlyServesDoesNotWaitForAnyOneStep() {
    silence.asked(0);
    silence.received(0, false);
    assertEquals(OptionalInt.empty(), pulses(3 * Silence.PULSES));
    ask(1);
    assertEquals(OptionalInt.empty(), pulses(Silence.PULSES));
    assertEquals(OptionalInt.of(2), silence.pulse(ALL));
  }

  @Test
  void whoHasBeenSilentForLongestIsNamed() {
    silence.pulse(ALL);
    ask(1);
    silence.done(1);
    ask(0);
    assertEquals(OptionalInt.of(2), pulses(Silence.PULSES + 1));
  }

  @Test
  void whoIsNotExpectedIsNotSilentAndHasADeadlineFromWhenItIs() {
    ask(2);
    for (int i = 0; i < 3 * Silence.PULSES; i++) {
      assertEquals(OptionalInt.empty(), silence.pulse(List.of(2)));
    }
    assertEquals(OptionalInt.empty(), pulses(Silence.PULSES));
    assertTrue(silence.pulse(ALL).isPresent());
  }

  @Test
  void allWhoWaitForEachOtherForMoreThanADeadlineWaitForNothing() {
    ALL.forEach(this::ask);
    assertEquals(OptionalInt.empty(), pulses(Silence.PULSES));
    assertFalse(silence.isDeadlock(ALL));
    silence.pulse(ALL);
    assertTrue(silence.isDeadlock(ALL));
    silence.asked(1);
    assertFalse(silence.isDeadlock(ALL), "what rank 1 sends is still to come");
    silence.done(1);
    assertFalse(silence.isDeadlock(ALL), "rank 1 is still to ask");
  }
}
