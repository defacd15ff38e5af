package dev.lockstep.train.strategy.server;

import dev.lockstep.train.memory.ControlWords.Word;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * When all ranks act on what any of them has said (a wish to stop, say): after the last step that
 * any rank had begun when rank 0's server heard of it. Every answer carries that step and the
 * words, so each rank knows before it comes to the step's end, and nobody waits. Words that come
 * after a step has been fixed wait for the next one: an answer that has left cannot be changed. Not
 * thread-safe.
 */
final class AgreedWords {
  private final boolean decides;

  /** The last step that each rank has begun, as far as is known here. */
  private final Map<Integer, Long> begun = new HashMap<>();

  private long heard;
  private long agreed;
  private long at = Answer.NONE;

  /**
   * @param decides whether this is rank 0's server, which fixes the step
   */
  AgreedWords(boolean decides) {
    this.decides = decides;
  }

  static long bit(Word word) {
    return 1L << word.ordinal();
  }

  /** A rank has begun a step. */
  void began(int rank, long step) {
    begun.merge(rank, step, Math::max);
  }

  void left(int rank) {
    begun.remove(rank);
  }

  /** Somebody has something to say. */
  void say(long words) {
    heard |= words;
    if (decides && heard != 0 && at == Answer.NONE && !begun.isEmpty()) {
      at = begun.values().stream().mapToLong(step -> step).max().orElseThrow();
      agreed = heard;
      heard = 0;
    }
  }

  /** All that has been said, and not been acted on, as ranks meet; nothing of it is left. */
  long takeAll() {
    long all = agreed | heard;
    at = Answer.NONE;
    agreed = 0;
    heard = 0;
    return all;
  }

  Answer answer(long next, BitSet lost) {
    return new Answer(next, at, agreed, lost);
  }
}
