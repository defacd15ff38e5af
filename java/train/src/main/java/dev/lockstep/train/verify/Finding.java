package dev.lockstep.train.verify;

/**
 * What one check said of one setting of a strategy.
 *
 * @param strategy its type
 * @param setting which options, by the name that the strategy gives them
 * @param check what was asked
 * @param passed whether it is so
 * @param detail figures where it is so; what was seen instead where it is not
 */
public record Finding(
    String strategy, String setting, String check, boolean passed, String detail) {}
