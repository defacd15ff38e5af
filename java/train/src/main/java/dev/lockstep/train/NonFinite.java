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
  private String found = "";

  NonFinite(Compute compute, Communicator communicator) {
    this.compute = compute;
    this.communicator = communicator;
  }

  /** Looks for it in a step of this rank's, if it has not been found in an earlier one. */
  void look(Step step) {
    if (found.isEmpty()) {
      String what = compute.findNonFinite(step);
      found = what.isEmpty() ? "" : "step " + (step.number() + 1) + ": " + what;
    }
  }

  /**
   * Ends the run if all ranks know that numbers are not finite on one of them; collective.
   *
   * @param steps that have been taken
   * @throws TrainingException naming what is not finite, and where
   */
  void failIfAgreed(Set<Word> agreed, long steps, int epoch) {
    if (!agreed.contains(Word.FAILED)) {
      return;
    }
    byte[][] all = communicator.allGather(found.getBytes(StandardCharsets.UTF_8));
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
