package dev.lockstep.train.memory;

import java.util.List;
import java.util.stream.Stream;

/**
 * Neighbouring elements of one flat buffer.
 *
 * @param group index of the buffer
 * @param from its first element, counted from the first tensor's
 * @param count elements
 */
public record ParameterRange(int group, long from, long count) {
  /**
   * What is left of ranges.
   *
   * @param cut parts of them, each within one
   */
  public static List<ParameterRange> without(List<ParameterRange> whole, List<ParameterRange> cut) {
    List<ParameterRange> left = whole;
    for (ParameterRange out : cut) {
      left = left.stream().flatMap(range -> range.around(out)).toList();
    }
    return left;
  }

  private Stream<ParameterRange> around(ParameterRange out) {
    long end = from + count;
    long outEnd = out.from + out.count;
    if (out.group != group || out.from >= end || outEnd <= from) {
      return Stream.of(this);
    }
    return Stream.of(
            new ParameterRange(group, from, out.from - from),
            new ParameterRange(group, outEnd, end - outEnd))
        .filter(part -> part.count > 0);
  }
}
