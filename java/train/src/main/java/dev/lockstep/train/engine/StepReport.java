package dev.lockstep.train.engine;

import dev.lockstep.train.memory.ControlWords.Word;
import java.util.Set;

/**
 * What a step gave.
 *
 * @param lossSum {@link Step#lossSum} with the step's own losses added
 * @param reduced what the gradient exchange left
 * @param agreed what all ranks know to be raised
 */
public record StepReport(double lossSum, Reduced reduced, Set<Word> agreed) {}
