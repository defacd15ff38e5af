package dev.lockstep.train.engine;

import dev.lockstep.train.memory.ControlWords.Word;
import java.util.Set;

/**
 * What a step gave.
 *
 * @param lossSum {@link Step#lossSum} with the step's own losses added
 * @param reduced what the gradient exchange left
 * @param agreed what all ranks know to be raised
 * @param skipped whether the step was left out on all ranks: it changed neither parameters nor any
 *     state but the loss scale, and added no losses
 */
public record StepReport(double lossSum, Reduced reduced, Set<Word> agreed, boolean skipped) {
  /** Of a step that counts. */
  public StepReport(double lossSum, Reduced reduced, Set<Word> agreed) {
    this(lossSum, reduced, agreed, false);
  }
}
