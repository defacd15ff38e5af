package dev.lockstep.train.strategy;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.Step;
import dev.lockstep.train.memory.ControlWords;
import dev.lockstep.train.memory.ControlWords.Word;
import dev.lockstep.train.memory.FlatBuffers;
import java.util.EnumSet;
import java.util.Set;

/**
 * What a rank has to tell the others, gathered over steps in which they do not talk. One thread.
 */
final class PendingWords {
  private final Communicator group;
  private final ControlWords words;
  private final Set<Word> own = EnumSet.noneOf(Word.class);
  private boolean anyUnused;

  /**
   * @param flat whose header takes the words when they are reduced
   */
  PendingWords(Communicator group, FlatBuffers flat) {
    this.group = group;
    words = new ControlWords(flat);
  }

  /** Adds what a step has to say. */
  void add(Step step, Reduced reduced) {
    own.addAll(step.needs().words());
    own.addAll(reduced.raised());
  }

  /** Tells all ranks, and returns what any has to say; collective, one message of a few bytes. */
  Set<Word> agree() {
    words.set(own);
    own.clear();
    group.allReduce(words.span(), ReduceOp.SUM);
    Set<Word> raised = words.raised();
    anyUnused |= raised.contains(Word.UNUSED);
    return raised;
  }

  /** Whether backward has ever left a parameter out on any rank, as far as all know. */
  boolean anyUnused() {
    return anyUnused;
  }
}
