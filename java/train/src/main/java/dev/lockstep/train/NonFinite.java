package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.train.engine.Compute;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.memory.ControlWords.Word;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.StringJoiner;

/** The end of a run whose numbers are not finite: each rank says what it has found first. */
final class NonFinite {
  private final Compute compute;
  private final Communicator communicator;
  private Found found = Found.NOTHING;

  /**
   * What is known of it.
   *
   * @param here what this rank has found first; empty for nothing
   * @param agreed whether all ranks know that one of them has found something
   */
  record Found(String here, boolean agreed) {
    static final Found NOTHING = new Found("", false);
  }

  NonFinite(Compute compute, Communicator communicator) {
    this.compute = compute;
    this.communicator = communicator;
  }

  /** Looks for it in a step of this rank's, if it has not been found in an earlier one. */
  void look(Step step) {
    if (found.here().isEmpty()) {
      String what = compute.findNonFinite(step);
      found =
          new Found(
              what.isEmpty() ? "" : "step " + (step.number() + 1) + ": " + what, found.agreed());
    }
  }

  Found found() {
    return found;
  }

  /** Goes on with what was known in a group of ranks before this one. */
  void takeOver(Found before) {
    found = before;
  }

  /** Keeps in mind that all ranks know, where this group can no longer end the run together. */
  void agree(Set<Word> agreed) {
    found = new Found(found.here(), found.agreed() || agreed.contains(Word.FAILED));
  }

  /**
   * Ends the run if all ranks know that numbers are not finite on one of them; collective.
   *
   * @param steps that have been taken
   * @throws TrainingException naming what is not finite, and where
   */
  void failIfAgreed(Set<Word> agreed, long steps, int epoch) {
    agree(agreed);
    if (!found.agreed()) {
      return;
    }
    byte[][] all = communicator.allGather(found.here().getBytes(StandardCharsets.UTF_8));
    StringJoiner findings = new StringJoiner("; ");
    for (int rank = 0; rank < all.length; rank++) {
      if (all[rank].length > 0) {
        findings.add("rank " + rank + ", " + new String(all[rank], StandardCharsets.UTF_8));
      }
    }
    throw new TrainingException(
        "Numbers are not finite in step "
            + steps
            + " of epoch "
            + epoch
            + ": "
            + (findings.length() == 0 ? "the sum of the ranks' gradients" : findings)
            + "; lower optimizer.learning_rate or set training.clip_norm.");
  }
}
