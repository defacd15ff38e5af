package dev.lockstep.train.engine;

import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.ParameterRange;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What a gradient exchange leaves.
 *
 * @param owned what this rank updates: the gradients there are the joint ones. Parameters that no
 *     rank's backward reached are not among them
 * @param squaredNorm of the joint gradient where {@link Needs#norm} asked for it
 * @param finite whether loss and gradients are, as far as this rank knows
 * @param raised what is known to be raised: by any rank where they talk at every step, else by this
 */
public record Reduced(
    List<ParameterRange> owned, double squaredNorm, boolean finite, Set<Word> raised) {

  /** The same of a step that is left out, and of which nobody need hear as of a failure. */
  Reduced withoutFailure() {
    EnumSet<Word> others = EnumSet.noneOf(Word.class);
    others.addAll(raised);
    others.remove(Word.FAILED);
    return new Reduced(owned, squaredNorm, true, others);
  }
}
