package dev.lockstep.train.engine;

import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.ParameterRange;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a gradient exchange leaves.
 *
 * @param owned what this rank updates: the gradients there are the joint ones. Parameters that no
 *     rank's backward reached are not among them
 * @param squaredNorm of the joint gradient where {@link Needs#norm} asked for it
 * @param finite whether loss and gradients are, as far as this rank knows
 * @param parts where {@link Needs#parts} asked for it and the batch had several, norms of their
 *     gradients, summed over the ranks; else null
 * @param raised what is known to be raised: by any rank where they talk at every step, else by this
 */
public record Reduced(
    List<ParameterRange> owned,
    double squaredNorm,
    @Nullable PartNorms parts,
    boolean finite,
    Set<Word> raised) {
  /** Without norms of parts. */
  public Reduced(List<ParameterRange> owned, double squaredNorm, boolean finite, Set<Word> raised) {
    this(owned, squaredNorm, null, finite, raised);
  }

  /** The same with the norms that gradients have without a loss scale. */
  Reduced unscaled(double lossScale) {
    return lossScale == 1
        ? this
        : new Reduced(
            owned,
            squaredNorm / (lossScale * lossScale),
            parts == null ? null : parts.unscaled(lossScale),
            finite,
            raised);
  }

  /** The same of a step that is left out, and of which nobody need hear as of a failure. */
  Reduced withoutFailure() {
    EnumSet<Word> others = EnumSet.noneOf(Word.class);
    others.addAll(raised);
    others.remove(Word.FAILED);
    return new Reduced(owned, squaredNorm, true, others);
  }
}
