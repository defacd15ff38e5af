package dev.lockstep.train.memory;

/**
 * Neighbouring elements of one flat buffer.
 *
 * @param group index of the buffer
 * @param from its first element, counted from the first tensor's
 * @param count elements
 */
public record ParameterRange(int group, long from, long count) {}
