package dev.lockstep.comm;

/**
 * A message that has come, or is coming in, and that no receive has met.
 *
 * @param source the rank that sent it
 * @param count its elements
 */
public record Incoming(int source, DataType type, long count) {}
