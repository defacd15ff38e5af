package dev.lockstep.learn;

import dev.lockstep.comm.Communicator;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/** What all ranks must have in common before a fit. */
final class Agreement {
  private Agreement() {}

  /**
   * Compares a text over all ranks; collective.
   *
   * @throws LearningException on every rank where two differ
   */
  static void check(Communicator ranks, String what, String own) {
    byte[][] all = ranks.allGather(own.getBytes(StandardCharsets.UTF_8));
    for (int rank = 1; rank < all.length; rank++) {
      if (!Arrays.equals(all[0], all[rank])) {
        String first = new String(all[0], StandardCharsets.UTF_8);
        String other = new String(all[rank], StandardCharsets.UTF_8);
        throw new LearningException(
            String.format(
                Locale.ROOT,
                "Rank 0 and rank %d are about to fit different things by %s: %s and %s. Start all ranks with the same settings and columns.",
                rank,
                what,
                first.strip(),
                other.strip()));
      }
    }
  }

  /** Rank 0's text, if it has one; collective. The others' suppliers are not asked. */
  static Optional<String> broadcast(Communicator ranks, Supplier<Optional<String>> text) {
    byte[] own = {};
    if (ranks.rank() == 0) {
      own = text.get().map(t -> "+" + t).orElse("").getBytes(StandardCharsets.UTF_8);
    }
    byte[] all = ranks.broadcast(own, 0);
    return all.length == 0
        ? Optional.empty()
        : Optional.of(new String(all, 1, all.length - 1, StandardCharsets.UTF_8));
  }
}
