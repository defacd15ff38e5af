package dev.lockstep.train.engine;

import dev.lockstep.train.memory.ControlWords.Word;
import java.util.Set;

/**
 * What the exchange of a step must find out besides the gradients.
 *
 * @param norm whether the norm of the joint gradient is needed, as for clipping
 * @param parts whether the norms of gradients of parts of the batch are needed, as for the gradient
 *     noise scale
 * @param words what this rank tells the others
 */
public record Needs(boolean norm, boolean parts, Set<Word> words) {
  /** No norms of parts. */
  public Needs(boolean norm, Set<Word> words) {
    this(norm, false, words);
  }

  public Needs {
    words = Set.copyOf(words);
  }
}
